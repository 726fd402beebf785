import type { RolloutFacts } from './facts.ts'

type VerificationFacts = Pick<
  RolloutFacts,
  'validation' | 'rollout' | 'lastWriteEndedAt' | 'checksFailedSince' | 'columnAddedAt'
>

/**
 * Why the newest validation does not verify the table as it is now, one sentence each. Empty: a validation of this file
 * has passed since the last backfill, retry, or rollback ended, with all checks of every layer that the file requires,
 * and none of these checks has failed in a later validation.
 */
export function verificationGaps(facts: VerificationFacts): string[] {
  const { validation, rollout, lastWriteEndedAt, columnAddedAt, checksFailedSince: failedSince } = facts
  if (validation === null) return ['No validation has ended.']
  const name = `Validation ${validation.id}`
  if (validation.derivationHash !== rollout.derivationHash)
    return [`${name} used a rollout file that derives types differently.`]
  if (columnAddedAt !== null && validation.startedAt <= columnAddedAt)
    return [`${name} started before the column was added.`]
  const layerGaps = rollout.file.validation.requires.flatMap((layer) => layerGap(validation, layer))
  return [
    ...(layerGaps.length === 0 && validation.verdict !== 'pass' ? [`${name} did not pass.`] : layerGaps),
    ...(failedSince.length > 0 ? [`Checks that failed since ${name.toLowerCase()}: ${failedSince.join(', ')}.`] : []),
    ...(lastWriteEndedAt !== null && validation.startedAt <= lastWriteEndedAt
      ? [`${name} started before the last backfill, retry or rollback ended.`]
      : []),
  ]
}

function layerGap(
  { id, layers }: NonNullable<RolloutFacts['validation']>,
  layer: RolloutFacts['rollout']['file']['validation']['requires'][number],
): string[] {
  const result = layers.find((candidate) => candidate.layer === layer)
  if (result === undefined || (result.verdict === 'pass' && !result.complete))
    return [`Validation ${id} did not run every check of the layer ${layer}, which validation.requires lists.`]
  if (result.verdict === 'pass') return []
  const outcomes = { fail: 'failed', error: 'had an error', inconclusive: 'was inconclusive' }
  return [`The layer ${layer} of validation ${id} ${outcomes[result.verdict]} (${result.detail}).`]
}
