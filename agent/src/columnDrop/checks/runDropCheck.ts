import { matchAcceptances, toAcceptedSubject } from '../../acceptance/acceptanceStore.ts'
import {
  acceptCheckCommand,
  allowsColumnDrop,
  type Acceptance,
  type ColumnDropCheck,
  type Verdict,
} from '../../contract/index.ts'
import { errorCode, isConnectionError, errorMessage } from '../../database/errors.ts'
import type { DropCheck, DropCheckContext, DropFinding } from './dropCheck.ts'

/** The number of findings kept per check. */
const MAX_FINDINGS = 50
const MAX_FINDING_LENGTH = 500

/** Runs one check. @throws connection errors */
export async function runDropCheck(check: DropCheck, context: DropCheckContext): Promise<ColumnDropCheck> {
  const started = performance.now()
  return toCheckResult(check, await findFault(check, context), started, context.facts.acceptances)
}

/** The finding of one check, also of one that failed. @throws connection errors */
export async function findFault<Context>(check: DropCheck<Context>, context: Context): Promise<DropFinding> {
  try {
    return await check.run(context)
  } catch (error) {
    if (isConnectionError(error)) throw error
    return {
      verdict: 'error',
      evidence: `the check failed (${errorMessage(error)}): fix the cause, then prepare again`,
      acceptable: [`error ${errorCode(error) ?? 'without a code'}`],
    }
  }
}

export function toCheckResult(
  { name, question }: Pick<DropCheck, 'name' | 'question'>,
  { verdict, evidence, findings = [], acceptable = [] }: DropFinding,
  started: number,
  acceptances: readonly Acceptance[] = [],
): ColumnDropCheck {
  const { accepted, open } = matchAcceptances(acceptances, name, acceptable)
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
    acceptable: [...open],
    accepted: accepted.map(toAcceptedSubject),
    seconds: Math.round(performance.now() - started) / 1000,
  }
}

/**
 * The worst verdict, without accepted checks: an error outweighs a fail, and a fail outweighs an inconclusive check.
 */
export function worstVerdict(checks: readonly ColumnDropCheck[]): Verdict {
  const order: Verdict[] = ['error', 'fail', 'inconclusive']
  const blocking = checks.filter((check) => !allowsColumnDrop(check))
  return order.find((verdict) => blocking.some((check) => check.verdict === verdict)) ?? 'pass'
}

/** Why a drop is refused: one sentence for each check that blocks it, with the command that accepts it if there is one. */
export function failureReasons(checks: readonly ColumnDropCheck[]): string[] {
  return checks
    .filter((check) => !allowsColumnDrop(check))
    .map(
      ({ check, verdict, evidence, acceptable }) =>
        `${check} (${verdict}): ${evidence}.${acceptable.length === 0 ? '' : ` ${acceptanceAdvice(check)}`}`,
    )
}

/** The way forward where a check names what an admin can accept. */
export const acceptanceAdvice = (check: string): string =>
  `An admin who knows that it is safe can accept it: ${acceptCheckCommand(check)}.`
