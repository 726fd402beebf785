import type { CheckResult } from '../contract/index.ts'
import type { Run } from '../engine/kind.ts'
import { demandTable } from '../engine/table.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { ValidationParts } from '../validation/check.ts'
import { runCheck } from '../validation/runCheck.ts'
import { stepChecks, type Judged } from './checks.ts'

export interface Judgement {
  readonly verdict: 'pass' | 'fail' | 'inconclusive'
  /** What speaks against going on, one sentence each without its full stop. */
  readonly why: readonly string[]
  readonly checks: readonly CheckResult[]
}

/** Asks every check over the time since the step was set. Null: it was asked to stop meanwhile. */
export async function judge(run: Run, parts: ValidationParts, judged: Judged): Promise<Judgement | null> {
  const { rollout } = run
  const facts = await run.facts()
  const context = { run, rollout, table: demandTable(facts), facts, parts }
  const checks: CheckResult[] = []
  for (const check of stepChecks(rollout, judged)) {
    if (run.asked() !== 'go-on') return null
    const result = await runCheck(check, context, null)
    if (result === null) continue
    checks.push(result)
    if (result.verdict === 'fail') break
  }
  return run.asked() === 'go-on' ? overall(rollout, checks) : null
}

/**
 * A fail of any layer is one. What could not be decided holds the ramp where the file requires the layer: without
 * that the flag could not be on at all.
 */
export function overall({ file }: Rollout, checks: readonly CheckResult[]): Judgement {
  const sentences = (some: readonly CheckResult[]): string[] => some.map(({ check, detail }) => `${check}: ${detail}`)
  const failed = checks.filter(({ verdict }) => verdict === 'fail')
  if (failed.length > 0) return { verdict: 'fail', why: sentences(failed), checks }
  const undecided = checks.filter(
    ({ verdict, layer }) => verdict !== 'pass' && (layer === 'integrity' || file.validation.requires.includes(layer)),
  )
  return { verdict: undecided.length > 0 ? 'inconclusive' : 'pass', why: sentences(undecided), checks }
}
