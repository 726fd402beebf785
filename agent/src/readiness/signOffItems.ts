import type { RolloutFile } from '../rollout/rolloutFile.ts'
import { canonicalHash } from '../signature/canonicalJson.ts'

/** Something that a person signs off because the agent cannot measure it. */
export interface SignOffItem {
  readonly item: string
  readonly what: string
  /** A hash of the signed-off content; null: the item never changes. */
  readonly subject: string | null
}

export const TRAINING_ITEM = 'training'
export const DOCUMENTATION_ITEM = 'documentation'
export const ALERT_PROCEDURE_ITEM = 'alert-procedure'

/** Only without a repository: where one is configured, the open pull request decides. */
export const COLUMN_DROP_ITEM = 'column-drop-migration'

export const contactItemId = (role: string): string => `contact:${role}`

/** Everything that can be signed off for a rollout. A contact that changes in the file must be confirmed again. */
export function listSignOffItems({ contacts }: Pick<RolloutFile, 'contacts'>): SignOffItem[] {
  return [
    { item: TRAINING_ITEM, what: 'The team is trained', subject: null },
    { item: DOCUMENTATION_ITEM, what: 'The documentation is up to date and accessible', subject: null },
    { item: ALERT_PROCEDURE_ITEM, what: 'The alert response procedures have been practiced', subject: null },
    { item: COLUMN_DROP_ITEM, what: 'The draft of the column drop was handed over for review', subject: null },
    ...contacts.map((contact) => ({
      item: contactItemId(contact.role),
      what: `${contact.name} is available as ${contact.role}`,
      subject: canonicalHash(contact),
    })),
  ]
}
