import { isMap, isScalar, isSeq, parseDocument } from 'yaml'

const PRIVATE_FIELDS = ['phone', 'email']
const REDACTED_VALUE = '"(for editors)"'

/** The text of a rollout file without the phone numbers and email addresses of its contacts. */
export function redactContacts(text: string): string {
  const contacts = parseDocument(text, { prettyErrors: false, stringKeys: true }).get('contacts')
  if (!isSeq(contacts)) return text
  const ranges = contacts.items.flatMap((contact) =>
    isMap(contact)
      ? contact.items
          .filter(({ key }) => isScalar(key) && PRIVATE_FIELDS.includes(String(key.value)))
          .flatMap(({ value }) => (isScalar(value) && value.range ? [value.range] : []))
      : [],
  )
  return (
    ranges
      .toSorted((a, b) => b[0] - a[0])
      // The range of a block includes its line break, which is kept.
      .reduce(
        (redacted, [from, to]) =>
          redacted.slice(0, from) + REDACTED_VALUE + (redacted[to - 1] === '\n' ? '\n' : '') + redacted.slice(to),
        text,
      )
  )
}
