import { isAcceptedCheck, type CheckResult, type ValidationLayer } from '../contract/index.ts'
import { formatQuantity } from '../format/format.ts'
import { notReady, ready, step, unknown, type ItemState } from './itemState.ts'
import type { ReadinessInput } from './readinessInput.ts'

const RUN_VALIDATION_HINT = step('Press Validate on the page of the rollout.', 'sti validate')

/** The state of a layer in the last validation, or of the checks in it that `matches` selects. */
export function judgeChecks(
  input: ReadinessInput,
  layer: ValidationLayer,
  matches: (check: CheckResult) => boolean = () => true,
): ItemState {
  const { validation, rollout, lastWriteEndedAt } = input.facts
  if (validation?.endedAt == null) return unknown('No validation has finished yet.', RUN_VALIDATION_HINT)
  const since = validation.endedAt
  if (validation.derivationHash !== rollout.derivationHash)
    return unknown('The last validation used a rollout file that derives differently.', RUN_VALIDATION_HINT, since)
  if (lastWriteEndedAt !== null && lastWriteEndedAt >= validation.startedAt)
    return unknown('A bulk write has run since the last validation.', RUN_VALIDATION_HINT, since)
  const checks = validation.checks.filter((check) => check.layer === layer && matches(check))
  if (checks.length === 0)
    return unknown(
      `The last validation did not run these checks of the ${layer} layer.`,
      step('Press Validate on the page of the rollout, with all layers.', 'sti validate --full-validation'),
      since,
    )
  /** Checks with the same reason share it. */
  const listByVerdict = (verdicts: readonly string[]): string => {
    const byReason = new Map<string, string[]>()
    for (const { check, detail } of checks.filter((one) => verdicts.includes(one.verdict) && !isAcceptedCheck(one)))
      byReason.set(detail, [...(byReason.get(detail) ?? []), check])
    return [...byReason].map(([detail, names]) => `${names.join(', ')} (${detail})`).join('; ')
  }
  const failed = listByVerdict(['fail'])
  if (failed !== '') return notReady(`Failed: ${failed}.`, 'Fix what the checks report, then validate again.', since)
  const undecided = listByVerdict(['inconclusive', 'error'])
  if (undecided !== '')
    return unknown(`Inconclusive: ${undecided}.`, 'Provide what the checks are missing, then validate again.', since)
  const accepted = checks.filter(isAcceptedCheck)
  const passed = checks.filter((check) => !accepted.includes(check))
  return ready(
    [
      `${formatQuantity(passed.length, 'check')} passed${passed.length === 0 ? '' : `: ${passed.map(({ check }) => check).join(', ')}`}.`,
      ...accepted.map(
        ({ check, detail, accepted: [by] }) => `${check} (${detail}) was accepted by ${by!.by}: ${by!.reason}.`,
      ),
    ].join(' '),
    since,
  )
}
