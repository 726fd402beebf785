import { createHash } from 'node:crypto'

/** Of a rollout file: who is called, in the order of escalation. */
export interface CalledRollout {
  readonly environment: string
  readonly rollout: string
  readonly contacts: readonly { readonly role: string; readonly email?: string | undefined }[]
}

/** One contact of one rollout, and how Grafana reaches them. */
export interface Call {
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

export const LEVELS = [1, 2, 3, 4] as const

/** Whom Grafana calls at which level, and in one sentence each whom it cannot call. */
export function callsOf(
  rollouts: readonly CalledRollout[],
  contactPoints: Readonly<Record<string, string>>,
): { readonly calls: readonly Call[]; readonly unreachable: readonly string[] } {
  const calls: Call[] = []
  const unreachable: string[] = []
  for (const { environment, rollout, contacts } of rollouts) {
    const where = `${rollout} in ${environment}`
    if (contacts.length === 0) unreachable.push(`${where} has no contacts: nobody is called by escalation`)
    contacts.forEach(({ role, email }, index) => {
      const level = index + 1
      const own = contactPoints[role]
      if (level > LEVELS.length) {
        unreachable.push(`${where}: the ${role} comes after level 4 and is never called`)
      } else if (own === undefined && email === undefined) {
        unreachable.push(
          `${where}: the ${role} has no e-mail address, so nobody is called at level ${level}: ` +
            'write one into the rollout file, or name a contact point under contactPoints',
        )
      } else {
        const id = createHash('sha256')
          .update(JSON.stringify([environment, rollout, level]))
          .digest('hex')
          .slice(0, 12)
        const receiver = own ?? `STI ${where}, level ${level}: ${role}`
        calls.push({ environment, rollout, level, role, receiver, email: own === undefined ? email! : null, id })
      }
    })
  }
  return { calls, unreachable }
}
