import type { Facts } from '../engine/facts.ts'
import { runsBeside } from './beside.ts'
import { covered, verified } from './stage.ts'

/** Why the flag may not go on yet; each sentence names what to do. Turning off has no gate. */
export function enablingRefusals(facts: Facts): string[] {
  if (facts.table === null || facts.faults.length > 0) return [...facts.faults, ...unforceable(facts)]
  const busy = facts.open.find((one) => !runsBeside(one))
  return [
    ...(busy ? [`${busy.kind} ${busy.id} is ${busy.state}: wait for it, or cancel it.`] : []),
    ...(covered(facts)
      ? []
      : [
          facts.expanded
            ? 'Coverage is not complete: run the backfill (sti backfill).'
            : 'The column and its trigger are not there: sti expand, then sti backfill.',
        ]),
    ...unforceable(facts),
    ...(facts.failedRows > 0
      ? [`${facts.failedRows} failed rows: mend and retry them, or let an admin accept them by key.`]
      : []),
    ...(verified(facts)
      ? []
      : [
          'No validation of this rollout file has passed since the last backfill or rollback ended: run one (sti validate).',
          ...lacking(facts),
        ]),
    ...(facts.finalizeMissing.length > 0
      ? [`Not finalized, missing: ${facts.finalizeMissing.join(', ')}: finalize (sti finalize).`]
      : []),
    ...(facts.promotion?.reasons ?? []),
  ]
}

/** What the last validation of this file lacked, layer by layer. */
function lacking({ validation, rollout, failedSince }: Facts): string[] {
  if (validation === null || validation.fileHash !== rollout.hash) return []
  const sentences = rollout.file.validation.requires.flatMap((layer) => {
    const found = validation.layers.find((one) => one.layer === layer)
    if (found === undefined || (found.verdict === 'pass' && !found.complete))
      return [`Validation ${validation.id} did not look at all of the layer ${layer}, which validation.requires names.`]
    if (found.verdict === 'pass') return []
    const word =
      found.verdict === 'fail' ? 'failed' : found.verdict === 'error' ? 'could not be judged' : 'is inconclusive'
    return [`Validation ${validation.id}: the layer ${layer} ${word} (${found.detail}).`]
  })
  return [
    ...sentences,
    ...(failedSince.length > 0 ? [`Failed since validation ${validation.id}: ${failedSince.join(', ')}.`] : []),
  ]
}

/** Those that no force passes by: the flag would lose writes or read wrong types, and force cannot answer for that. */
export function unforceable({ rollout, prefilled }: Facts): string[] {
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
