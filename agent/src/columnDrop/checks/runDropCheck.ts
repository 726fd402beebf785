import type { ColumnDropCheck, Verdict } from '../../contract/index.ts'
import { isConnectionError, errorMessage } from '../../database/errors.ts'
import type { DropCheck, DropCheckContext, DropFinding } from './dropCheck.ts'

/** Findings of a check that are kept. */
const MAX_FINDINGS = 50
const MAX_FINDING_LENGTH = 500

/** Runs one check. @throws what says that the database is away */
export async function runDropCheck(check: DropCheck, context: DropCheckContext): Promise<ColumnDropCheck> {
  const started = performance.now()
  let finding: DropFinding
  try {
    finding = await check.run(context)
  } catch (error) {
    if (isConnectionError(error)) throw error
    finding = {
      verdict: 'error',
      evidence: `it could not be answered, ${errorMessage(error)}: mend that, then prepare again`,
    }
  }
  return toCheckResult(check, finding, started)
}

export function toCheckResult(
  { name, question }: Pick<DropCheck, 'name' | 'question'>,
  { verdict, evidence, findings = [] }: DropFinding,
  started: number,
): ColumnDropCheck {
  return {
    check: name,
    question,
    verdict,
    evidence,
    findings: findings
      .slice(0, MAX_FINDINGS)
      .map((finding) =>
        finding.length > MAX_FINDING_LENGTH ? `${finding.slice(0, MAX_FINDING_LENGTH - 1)}…` : finding,
      ),
    seconds: Math.round(performance.now() - started) / 1000,
  }
}

/** The worst of them: an error outweighs a fail, which outweighs what could not be decided. */
export function worstVerdict(checks: readonly ColumnDropCheck[]): Verdict {
  const order: Verdict[] = ['error', 'fail', 'inconclusive']
  return order.find((verdict) => checks.some((check) => check.verdict === verdict)) ?? 'pass'
}

/** Why a drop is refused: one sentence for each check that does not pass. */
export function failureReasons(checks: readonly ColumnDropCheck[]): string[] {
  return checks
    .filter(({ verdict }) => verdict !== 'pass')
    .map(({ check, verdict, evidence }) => `${check} (${verdict}): ${evidence}.`)
}
