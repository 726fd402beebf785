import type { Attestation, ReadinessItem, ReadinessList } from '../contract/index.ts'
import { notReady, ready, type Judged } from './judged.ts'
import type { Seen } from './seen.ts'

export function measured(item: string, line: string, lists: ReadinessList[], judged: Judged): ReadinessItem {
  // One by one: what was judged may be an item of its own.
  const { state, sentence, since, next } = judged
  return { item, line, lists, by: 'measured', state, sentence, since, next, attestation: null }
}

/** What only people know. */
export function attested(seen: Seen, item: string, line: string, lists: ReadinessList[]): ReadinessItem {
  const last = lastOf(seen, item)
  return { item, line, lists, by: 'attested', ...judgeAttestation(last, item), attestation: last }
}

export function lastOf({ attestations }: Pick<Seen, 'attestations'>, item: string): Attestation | null {
  return attestations.find((one) => one.item === item) ?? null
}

export function judgeAttestation(last: Attestation | null, item: string): Judged {
  const how = `Once it is so, sign it off: sti attest "${item}" --note "…".`
  if (last === null) return notReady('Nobody has signed it off.', how)
  if (last.counts) return ready(`${last.by.name}: ${last.note} (until ${last.expiresAt.slice(0, 10)})`, last.at)
  return notReady(
    `Signed off by ${last.by.name} on ${last.at.slice(0, 10)}, ${last.why}.`,
    how,
    last.withdrawnAt ?? last.at,
  )
}
