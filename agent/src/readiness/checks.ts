import type { CheckResult, Layer } from '../contract/index.ts'
import { notReady, ready, unknown, type Judged } from './judged.ts'
import type { Seen } from './seen.ts'

const VALIDATE = 'Run a validation (sti validate).'

/** What the last validation says of a layer, or of those of its checks that `of` takes. */
export function judgeChecks(seen: Seen, layer: Layer, of: (check: CheckResult) => boolean = () => true): Judged {
  const { validation, rollout, lastWriteEndedAt } = seen.facts
  if (validation?.endedAt == null) return unknown('No validation has ended yet.', VALIDATE)
  const since = validation.endedAt
  if (validation.fileHash !== rollout.hash)
    return unknown('The last validation was of another version of the rollout file.', VALIDATE, since)
  if (lastWriteEndedAt !== null && lastWriteEndedAt >= validation.startedAt)
    return unknown('Rows were written in bulk since the last validation.', VALIDATE, since)
  const checks = validation.checks.filter((check) => check.layer === layer && of(check))
  if (checks.length === 0)
    return unknown(
      `The last validation had no such check of the ${layer} layer.`,
      'Run all layers (sti validate --full-validation).',
      since,
    )
  const named = (verdicts: readonly string[]): string =>
    checks
      .filter(({ verdict }) => verdicts.includes(verdict))
      .map(({ check, detail }) => `${check} (${detail})`)
      .join('; ')
  const failed = named(['fail'])
  if (failed !== '') return notReady(`Failed: ${failed}.`, 'Mend what the checks name, then validate again.', since)
  const open = named(['inconclusive', 'error'])
  if (open !== '')
    return unknown(`Came to no conclusion: ${open}.`, 'Give the checks what they lack, then validate again.', since)
  return ready(
    `${checks.length} ${checks.length === 1 ? 'check' : 'checks'} passed: ${checks.map(({ check }) => check).join(', ')}.`,
    since,
  )
}
