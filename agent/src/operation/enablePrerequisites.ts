import { operationName } from '../contract/index.ts'
import { formatQuantity } from '../format/format.ts'
import { findWriter, type RolloutFacts } from '../kind/facts.ts'
import { verificationGaps } from '../kind/verification.ts'
import { isCovered } from './rolloutStage.ts'

/** Why the flag cannot be enabled yet; each sentence says what to do. Disabling has no prerequisites. */
export function enableRefusals(facts: RolloutFacts): string[] {
  if (facts.table === null || facts.faults.length > 0) return [...facts.faults, ...unforceableRefusals(facts)]
  const writer = findWriter(facts)
  const gaps = verificationGaps(facts)
  return [
    ...(writer ? [`${operationName(writer)} is ${writer.state}: wait for it, or cancel it.`] : []),
    ...(isCovered(facts)
      ? []
      : [
          facts.expanded
            ? 'Coverage is not complete: run the backfill (sti backfill).'
            : 'The column or its trigger does not exist: run expand (sti expand), then the backfill (sti backfill).',
        ]),
    ...unforceableRefusals(facts),
    ...(facts.failedRows > 0
      ? [`${formatQuantity(facts.failedRows, 'failed row')}: fix and retry them, or let an admin accept them by key.`]
      : []),
    ...(gaps.length === 0
      ? []
      : [
          'No validation of every layer that validation.requires lists has passed since the last backfill or rollback ended: run a validation (sti validate).',
          ...gaps,
        ]),
    ...(facts.finalizeMissing.length > 0
      ? [`Finalize is incomplete (missing: ${facts.finalizeMissing.join(', ')}): run finalize (sti finalize).`]
      : []),
    ...(facts.promotion?.reasons ?? []),
  ]
}

/** Refusals that `force` does not skip: the flag would lose writes or read wrong types. */
export function unforceableRefusals({
  rollout,
  activePrefill,
}: Pick<RolloutFacts, 'rollout' | 'activePrefill'>): string[] {
  const { typesWithoutRestore: lostTypes, types, file } = rollout
  const subject =
    lostTypes.length === types.length ? 'The rollout file has' : `In the rollout file, ${lostTypes.join(', ')} has`
  return [
    ...(lostTypes.length > 0 && !file.acceptLostWrites
      ? [
          `${subject} restore: none, so turning the flag off would lose the writes of new code: set acceptLostWrites: true to accept that, or define a restore for each type.`,
        ]
      : []),
    ...(activePrefill !== null
      ? [
          `The column was prefilled, and rows of other types still read as ${activePrefill.type}: run the backfill (sti backfill).`,
        ]
      : []),
  ]
}
