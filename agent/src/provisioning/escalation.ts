import { createHash } from 'node:crypto'

/** Of a rollout file: who is called, in the order of escalation. */
export interface RolloutContacts {
  readonly environment: string
  readonly rollout: string
  readonly contacts: readonly { readonly role: string; readonly email?: string | undefined }[]
}

/** One contact of one rollout, and how Grafana reaches them. */
export interface EscalationReceiver {
  readonly environment: string
  readonly rollout: string
  /** 1 to 4. */
  readonly level: number
  readonly role: string
  readonly receiver: string
  /** Null: the receiver is a contact point of the user's own. */
  readonly email: string | null
  /** Twelve hexadecimal digits, the same for the same call. */
  readonly id: string
}

export const ESCALATION_LEVELS = [1, 2, 3, 4] as const

/** Whom Grafana calls at which level, and in one sentence each whom it cannot call. */
export function planEscalation(
  rollouts: readonly RolloutContacts[],
  contactPoints: Readonly<Record<string, string>>,
): { readonly calls: readonly EscalationReceiver[]; readonly unreachable: readonly string[] } {
  const calls: EscalationReceiver[] = []
  const unreachable: string[] = []
  for (const { environment, rollout, contacts } of rollouts) {
    const rolloutLabel = `${rollout} in ${environment}`
    if (contacts.length === 0) unreachable.push(`${rolloutLabel} has no contacts: nobody is called by escalation`)
    contacts.forEach(({ role, email }, index) => {
      const level = index + 1
      const contactPoint = contactPoints[role]
      if (level > ESCALATION_LEVELS.length) {
        unreachable.push(`${rolloutLabel}: the ${role} comes after level 4 and is never called`)
      } else if (contactPoint === undefined && email === undefined) {
        unreachable.push(
          `${rolloutLabel}: the ${role} has no e-mail address, so nobody is called at level ${level}: ` +
            'write one into the rollout file, or name a contact point under contactPoints',
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
  return { calls, unreachable }
}
