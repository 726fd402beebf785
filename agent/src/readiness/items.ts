import type { Attestation, ReadinessItem, ReadinessList } from '../contract/index.ts'
import { notReady, ready, type ItemState } from './itemState.ts'
import type { ReadinessInput } from './readinessInput.ts'

export function measuredItem(item: string, line: string, lists: ReadinessList[], itemState: ItemState): ReadinessItem {
  // One by one: what was judged may be an item of its own.
  const { state, sentence, since, next } = itemState
  return { item, line, lists, by: 'measured', state, sentence, since, next, attestation: null }
}

/** What only people know. */
export function attestedItem(input: ReadinessInput, item: string, line: string, lists: ReadinessList[]): ReadinessItem {
  const latest = findLatestAttestation(input, item)
  return { item, line, lists, by: 'attested', ...judgeAttestation(latest, item), attestation: latest }
}

export function findLatestAttestation(
  { attestations }: Pick<ReadinessInput, 'attestations'>,
  item: string,
): Attestation | null {
  return attestations.find((one) => one.item === item) ?? null
}

export function judgeAttestation(latest: Attestation | null, item: string): ItemState {
  const instruction = `Once it is so, sign it off: sti attest "${item}" --note "…".`
  if (latest === null) return notReady('Nobody has signed it off.', instruction)
  if (latest.counts)
    return ready(`${latest.by.name}: ${latest.note} (until ${latest.expiresAt.slice(0, 10)})`, latest.at)
  return notReady(
    `Signed off by ${latest.by.name} on ${latest.at.slice(0, 10)}, ${latest.why}.`,
    instruction,
    latest.withdrawnAt ?? latest.at,
  )
}
