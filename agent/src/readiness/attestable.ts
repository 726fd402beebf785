import type { RolloutFile } from '../rollout/file.ts'
import { canonicalHash } from '../signature/canonical.ts'

/** Something that a person signs off, because no reading says it. */
export interface Attestable {
  readonly item: string
  readonly what: string
  /** A hash of what is signed off; null: the item is always the same thing. */
  readonly subject: string | null
}

export const TRAINING = 'training'
export const DOCUMENTATION = 'documentation'
export const ALERT_PROCEDURE = 'alert-procedure'

export const contactItem = (role: string): string => `contact:${role}`

/** All that can be signed off of a rollout. Whoever changes a contact in the file has to have it confirmed anew. */
export function attestableOf({ contacts }: Pick<RolloutFile, 'contacts'>): Attestable[] {
  return [
    { item: TRAINING, what: 'the team has been trained', subject: null },
    { item: DOCUMENTATION, what: 'the documentation is up to date and accessible', subject: null },
    { item: ALERT_PROCEDURE, what: 'what to do when an alert fires has been gone through', subject: null },
    ...contacts.map((contact) => ({
      item: contactItem(contact.role),
      what: `${contact.name} answers as ${contact.role}`,
      subject: canonicalHash(contact),
    })),
  ]
}
