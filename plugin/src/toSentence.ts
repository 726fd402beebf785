/**
 * A text of the agent, which has no capital letter and no period, as a sentence. A name at its beginning, such as
 * `archive_mode` or `public.vehicles`, stays as it is.
 */
export function toSentence(text: string): string {
  const isWord = /^[a-z]+(?:[\s,:;]|$)/.test(text)
  const begun = isWord ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}
