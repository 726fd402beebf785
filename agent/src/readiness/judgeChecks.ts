import type { CheckResult, ValidationLayer } from '../contract/index.ts'
import { notReady, ready, unknown, type ItemState } from './itemState.ts'
import type { ReadinessInput } from './readinessInput.ts'

const RUN_VALIDATION_HINT = 'Run a validation (sti validate).'

/** What the last validation says of a layer, or of those of its checks that `of` takes. */
export function judgeChecks(
  input: ReadinessInput,
  layer: ValidationLayer,
  matches: (check: CheckResult) => boolean = () => true,
): ItemState {
  const { validation, rollout, lastWriteEndedAt } = input.facts
  if (validation?.endedAt == null) return unknown('No validation has ended yet.', RUN_VALIDATION_HINT)
  const since = validation.endedAt
  if (validation.fileHash !== rollout.hash)
    return unknown('The last validation was of another version of the rollout file.', RUN_VALIDATION_HINT, since)
  if (lastWriteEndedAt !== null && lastWriteEndedAt >= validation.startedAt)
    return unknown('Rows were written in bulk since the last validation.', RUN_VALIDATION_HINT, since)
  const checks = validation.checks.filter((check) => check.layer === layer && matches(check))
  if (checks.length === 0)
    return unknown(
      `The last validation had no such check of the ${layer} layer.`,
      'Run all layers (sti validate --full-validation).',
      since,
    )
  const listByVerdict = (verdicts: readonly string[]): string =>
    checks
      .filter(({ verdict }) => verdicts.includes(verdict))
      .map(({ check, detail }) => `${check} (${detail})`)
      .join('; ')
  const failed = listByVerdict(['fail'])
  if (failed !== '') return notReady(`Failed: ${failed}.`, 'Mend what the checks name, then validate again.', since)
  const undecided = listByVerdict(['inconclusive', 'error'])
  if (undecided !== '')
    return unknown(
      `Came to no conclusion: ${undecided}.`,
      'Give the checks what they lack, then validate again.',
      since,
    )
  return ready(
    `${checks.length} ${checks.length === 1 ? 'check' : 'checks'} passed: ${checks.map(({ check }) => check).join(', ')}.`,
    since,
  )
}
