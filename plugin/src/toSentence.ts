import { capitalize } from '@sti-rollout/agent/format'

/**
 * A text of the agent, which has no capital letter and no period, as a sentence. A name at its beginning, such as
 * `archive_mode` or `public.vehicles`, stays as it is.
 */
export function toSentence(text: string): string {
  const isWord = /^[a-z]+(?:[\s,:;]|$)/.test(text)
  const begun = isWord ? capitalize(text) : text
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}
