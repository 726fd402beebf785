import { isAcceptedCheck, type CheckResult, type VariantComparison } from '../contract/index.ts'
import type { RunContext } from '../kind/kind.ts'
import { requireTable } from '../kind/requireTable.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { ValidationDependencies } from '../validation/check.ts'
import { runCheck } from '../validation/runCheck.ts'
import { stepChecks, type StepContext } from './stepChecks.ts'
import { TYPE_USED } from './typeUsed.ts'

export interface StepJudgment {
  readonly verdict: 'pass' | 'fail' | 'inconclusive'
  /** Reasons not to continue, or what a person should know; one sentence each, without a period. */
  readonly why: readonly string[]
  readonly checks: readonly CheckResult[]
  /** What the step was compared with; null: the baseline. */
  readonly comparison: VariantComparison | null
}

/** Runs every check over the time since the step was set. Null: the ramp was asked to stop. */
export async function judgeStep(
  run: RunContext,
  deps: ValidationDependencies,
  step: StepContext,
): Promise<StepJudgment | null> {
  const { rollout } = run
  const facts = await run.readFacts()
  const context = { run, rollout, table: requireTable(facts), facts, parts: deps }
  const checks: CheckResult[] = []
  for (const check of stepChecks(rollout, step)) {
    if (run.directive() !== 'continue') return null
    const result = await runCheck(check, context, null)
    if (result === null) continue
    checks.push(result)
    if (result.verdict === 'fail') break
  }
  return run.directive() === 'continue' ? { ...combineResults(rollout, checks), comparison: step.comparison } : null
}

/**
 * A failed check of any layer fails the step. An undecided check makes it inconclusive only if the file requires its
 * layer: without that layer the flag could not be enabled either.
 */
export function combineResults({ file }: Rollout, checks: readonly CheckResult[]): Omit<StepJudgment, 'comparison'> {
  const toSentences = (results: readonly CheckResult[]): string[] =>
    results.map(({ check, detail }) => `${check}: ${detail}`)
  const failedResults = checks.filter(({ verdict }) => verdict === 'fail')
  if (failedResults.length > 0) return { verdict: 'fail', why: toSentences(failedResults), checks }
  const undecidedResults = checks.filter(
    (check) => isUndecided(check) && (check.layer === 'integrity' || file.validation.requires.includes(check.layer)),
  )
  const warnings = checks.filter(({ check, verdict }) => check === TYPE_USED && verdict !== 'pass')
  return {
    verdict: undecidedResults.length > 0 ? 'inconclusive' : 'pass',
    why: toSentences([...undecidedResults, ...warnings]),
    checks,
  }
}

/** A check that keeps a step from passing if its layer is required. Without statements of new code, a step only warns. */
export function isUndecided(check: CheckResult): boolean {
  return check.verdict !== 'pass' && check.check !== TYPE_USED && !isAcceptedCheck(check)
}
