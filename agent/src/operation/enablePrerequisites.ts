import { findWriter, type RolloutFacts } from '../kind/facts.ts'
import { isCovered, isVerified } from './rolloutStage.ts'

/** Why the flag may not go on yet; each sentence names what to do. Turning off has no gate. */
export function enableRefusals(facts: RolloutFacts): string[] {
  if (facts.table === null || facts.faults.length > 0) return [...facts.faults, ...unforceableRefusals(facts)]
  const writer = findWriter(facts)
  return [
    ...(writer ? [`${writer.kind} ${writer.id} is ${writer.state}: wait for it, or cancel it.`] : []),
    ...(isCovered(facts)
      ? []
      : [
          facts.expanded
            ? 'Coverage is not complete: run the backfill (sti backfill).'
            : 'The column and its trigger are not there: sti expand, then sti backfill.',
        ]),
    ...unforceableRefusals(facts),
    ...(facts.failedRows > 0
      ? [`${facts.failedRows} failed rows: mend and retry them, or let an admin accept them by key.`]
      : []),
    ...(isVerified(facts)
      ? []
      : [
          'No validation of this rollout file has passed since the last backfill or rollback ended: run one (sti validate).',
          ...validationGaps(facts),
        ]),
    ...(facts.finalizeMissing.length > 0
      ? [`Not finalized, missing: ${facts.finalizeMissing.join(', ')}: finalize (sti finalize).`]
      : []),
    ...(facts.promotion?.reasons ?? []),
  ]
}

/** What the last validation of this file lacked, layer by layer. */
function validationGaps({ validation, rollout, checksFailedSince: failedSince }: RolloutFacts): string[] {
  if (validation === null || validation.fileHash !== rollout.hash) return []
  const sentences = rollout.file.validation.requires.flatMap((layer) => {
    const layerResult = validation.layers.find((one) => one.layer === layer)
    if (layerResult === undefined || (layerResult.verdict === 'pass' && !layerResult.complete))
      return [`Validation ${validation.id} did not look at all of the layer ${layer}, which validation.requires names.`]
    if (layerResult.verdict === 'pass') return []
    const outcome =
      layerResult.verdict === 'fail'
        ? 'failed'
        : layerResult.verdict === 'error'
          ? 'could not be judged'
          : 'is inconclusive'
    return [`Validation ${validation.id}: the layer ${layer} ${outcome} (${layerResult.detail}).`]
  })
  return [
    ...sentences,
    ...(failedSince.length > 0 ? [`Failed since validation ${validation.id}: ${failedSince.join(', ')}.`] : []),
  ]
}

/** Those that no force passes by: the flag would lose writes or read wrong types, and force cannot answer for that. */
export function unforceableRefusals({ rollout, activePrefill: prefilled }: RolloutFacts): string[] {
  const { restore, acceptLostWrites } = rollout.file
  return [
    ...(restore === 'none' && !acceptLostWrites
      ? [
          'The rollout file says restore: none, so that turning the flag off would lose what new code wrote: write acceptLostWrites: true into it to accept that, or a restore for each type.',
        ]
      : []),
    ...(prefilled !== null
      ? [
          `The column was prefilled, and rows of other types still read as ${prefilled.type}: run the backfill (sti backfill).`,
        ]
      : []),
  ]
}
