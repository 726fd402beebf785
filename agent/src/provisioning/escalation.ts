import { createHash } from 'node:crypto'
import type { AlertingFile } from './alertingFile.ts'

/** The contacts of a rollout file in the order of escalation. */
export interface RolloutContacts {
  readonly environment: string
  readonly rollout: string
  readonly contacts: readonly { readonly role: string; readonly email?: string | undefined }[]
}

/** One contact of one rollout, with the receiver that pages them. */
export interface EscalationReceiver {
  readonly environment: string
  readonly rollout: string
  /** 1 to 4. */
  readonly level: number
  readonly role: string
  readonly receiver: string
  /** Null: the receiver is a custom contact point. */
  readonly email: string | null
  /** Twelve hexadecimal digits, stable for environment, rollout and level. */
  readonly id: string
}

export const ESCALATION_LEVELS = [1, 2, 3, 4] as const

/**
 * Plans who is paged at which level. `unreachable` has one sentence per contact that cannot be paged, `notes` one per
 * rollout that names nobody.
 */
export function planEscalation(
  rollouts: readonly RolloutContacts[],
  { contactPoints, emailContactPoints }: Pick<AlertingFile, 'contactPoints' | 'emailContactPoints'>,
): {
  readonly calls: readonly EscalationReceiver[]
  readonly unreachable: readonly string[]
  readonly notes: readonly string[]
} {
  const calls: EscalationReceiver[] = []
  const notes: string[] = []
  const unreachable: string[] = []
  for (const { environment, rollout, contacts } of rollouts) {
    const rolloutLabel = `${rollout} in ${environment}`
    if (contacts.length === 0) notes.push(`${rolloutLabel} has no contacts, so escalation pages nobody`)
    contacts.forEach(({ role, email }, index) => {
      const level = index + 1
      const contactPoint = Object.hasOwn(contactPoints, role) ? contactPoints[role] : undefined
      if (level > ESCALATION_LEVELS.length) {
        unreachable.push(`${rolloutLabel}: the ${role} comes after level 4 and is never paged`)
      } else if (contactPoint === undefined && !emailContactPoints) {
        unreachable.push(
          `${rolloutLabel}: the ${role} has no contact point, so nobody is paged at level ${level}. Add one to contactPoints`,
        )
      } else if (contactPoint === undefined && email === undefined) {
        unreachable.push(
          `${rolloutLabel}: the ${role} has no email address, so nobody is paged at level ${level}. ` +
            'Add one to the rollout file, or a contact point to contactPoints',
        )
      } else {
        const id = createHash('sha256')
          .update(JSON.stringify([environment, rollout, level]))
          .digest('hex')
          .slice(0, 12)
        const receiver = contactPoint ?? `STI ${rolloutLabel}, level ${level}: ${role}`
        calls.push({
          environment,
          rollout,
          level,
          role,
          receiver,
          email: contactPoint === undefined ? email! : null,
          id,
        })
      }
    })
  }
  return { calls, unreachable, notes }
}
