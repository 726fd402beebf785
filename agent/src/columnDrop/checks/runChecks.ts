import type { ColumnDropCheck, Verdict } from '../../contract/index.ts'
import { isAway, messageOf } from '../../engine/errors.ts'
import type { DropCheck, DropCheckContext, DropFinding } from './check.ts'

/** Findings of a check that are kept. */
const KEPT = 50
const LONGEST = 500

/** Runs one check. @throws what says that the database is away */
export async function runDropCheck(check: DropCheck, context: DropCheckContext): Promise<ColumnDropCheck> {
  const started = performance.now()
  let found: DropFinding
  try {
    found = await check.run(context)
  } catch (error) {
    if (isAway(error)) throw error
    found = {
      verdict: 'error',
      evidence: `it could not be answered, ${messageOf(error)}: mend that, then prepare again`,
    }
  }
  return answered(check, found, started)
}

export function answered(
  { name, question }: Pick<DropCheck, 'name' | 'question'>,
  { verdict, evidence, findings = [] }: DropFinding,
  started: number,
): ColumnDropCheck {
  return {
    check: name,
    question,
    verdict,
    evidence,
    findings: findings.slice(0, KEPT).map((one) => (one.length > LONGEST ? `${one.slice(0, LONGEST - 1)}…` : one)),
    seconds: Math.round(performance.now() - started) / 1000,
  }
}

/** The worst of them: an error outweighs a fail, which outweighs what could not be decided. */
export function worstOf(checks: readonly ColumnDropCheck[]): Verdict {
  const order: Verdict[] = ['error', 'fail', 'inconclusive']
  return order.find((verdict) => checks.some((one) => one.verdict === verdict)) ?? 'pass'
}

/** Why a drop is refused: one sentence for each check that does not pass. */
export function reasonsOf(checks: readonly ColumnDropCheck[]): string[] {
  return checks
    .filter(({ verdict }) => verdict !== 'pass')
    .map(({ check, verdict, evidence }) => `${check} (${verdict}): ${evidence}.`)
}
