import type { Attestation, ReadinessItem, ReadinessList } from '../contract/index.ts'
import { notReady, ready, step, type ItemState } from './itemState.ts'
import type { ReadinessInput } from './readinessInput.ts'

export function measuredItem(item: string, line: string, lists: ReadinessList[], itemState: ItemState): ReadinessItem {
  // `itemState` may be a complete item itself, so its properties are copied one by one.
  const { state, sentence, since, next, command } = itemState
  return { item, line, lists, by: 'measured', state, sentence, since, next, command, attestation: null }
}

/** An item that only a person can confirm. */
export function attestedItem(input: ReadinessInput, item: string, line: string, lists: ReadinessList[]): ReadinessItem {
  const latest = findLatestAttestation(input, item)
  return { item, line, lists, by: 'attested', ...judgeAttestation(latest, item), attestation: latest }
}

export function findLatestAttestation(
  { attestations }: Pick<ReadinessInput, 'attestations'>,
  item: string,
): Attestation | null {
  return attestations.find((attestation) => attestation.item === item) ?? null
}

export function judgeAttestation(latest: Attestation | null, item: string): ItemState {
  const instruction = step('When it is done, press Sign off.', `sti attest "${item}" --note "…"`)
  if (latest === null) return notReady('Not signed off.', instruction)
  if (latest.counts)
    return ready(`${latest.by.name}: ${latest.note} (until ${latest.expiresAt.slice(0, 10)})`, latest.at)
  return notReady(
    `Signed off by ${latest.by.name} on ${latest.at.slice(0, 10)}, but no longer valid: ${latest.why}.`,
    instruction,
    latest.withdrawnAt ?? latest.at,
  )
}
