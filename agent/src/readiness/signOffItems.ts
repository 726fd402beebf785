import type { RolloutFile } from '../rollout/rolloutFile.ts'
import { canonicalHash } from '../signature/canonicalJson.ts'

/** Something that a person signs off, because no reading says it. */
export interface SignOffItem {
  readonly item: string
  readonly what: string
  /** A hash of what is signed off; null: the item is always the same thing. */
  readonly subject: string | null
}

export const TRAINING_ITEM = 'training'
export const DOCUMENTATION_ITEM = 'documentation'
export const ALERT_PROCEDURE_ITEM = 'alert-procedure'

export const contactItemId = (role: string): string => `contact:${role}`

/** All that can be signed off of a rollout. Whoever changes a contact in the file has to have it confirmed anew. */
export function listSignOffItems({ contacts }: Pick<RolloutFile, 'contacts'>): SignOffItem[] {
  return [
    { item: TRAINING_ITEM, what: 'the team has been trained', subject: null },
    { item: DOCUMENTATION_ITEM, what: 'the documentation is up to date and accessible', subject: null },
    { item: ALERT_PROCEDURE_ITEM, what: 'what to do when an alert fires has been gone through', subject: null },
    ...contacts.map((contact) => ({
      item: contactItemId(contact.role),
      what: `${contact.name} answers as ${contact.role}`,
      subject: canonicalHash(contact),
    })),
  ]
}
