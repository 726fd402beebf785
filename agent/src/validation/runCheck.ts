import { matchAcceptances, toAcceptedSubject } from '../acceptance/acceptanceStore.ts'
import type { CheckResult } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { errorCode, isConnectionError, errorMessage } from '../database/errors.ts'
import type { ValidationCheck, CheckContext, CheckFinding } from './check.ts'
import type { TableScan } from './scan/scanRanges.ts'

type SharedCheckContext = Omit<CheckContext, 'sql' | 'scan' | 'signal'>

const DEFAULT_TIMEOUT_SECONDS = 30

class CheckTimeout extends Error {}

/**
 * Runs one check with its timeout. An error becomes its verdict. Null: the check does not apply now.
 * @throws connection errors: no verdict is possible without the database, and the validation resumes later
 */
export async function runCheck(
  check: ValidationCheck,
  context: SharedCheckContext,
  scan: TableScan | null,
): Promise<CheckResult | null> {
  const seconds = check.seconds ?? DEFAULT_TIMEOUT_SECONDS
  const started = performance.now()
  const abort = new AbortController()
  let connection: Sql | null = null
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new CheckTimeout())
      abort.abort()
    }, seconds * 1000)
  })
  const checkContext: CheckContext = {
    ...context,
    signal: abort.signal,
    get sql() {
      connection ??= context.run.database.engine({
        purpose: `check ${check.name}`,
        readOnly: true,
        statementTimeoutMs: seconds * 1000,
      })
      return connection
    },
    scan() {
      if (scan === null) throw new Error(`check ${check.name} uses the table scan without needsScan`)
      return scan
    },
  }
  let finding: CheckFinding | null
  try {
    finding = await Promise.race([check.run(checkContext), timeout])
  } catch (error) {
    if (isConnectionError(error)) throw error
    finding = toErrorFinding(error, seconds)
  } finally {
    clearTimeout(timer)
    // A statement that still runs on the server ends by its own statement_timeout.
    await (connection as Sql | null)?.end({ timeout: 0 })
  }
  if (finding === null) return null
  const { requires } = context.rollout.file.validation
  const blocks = check.layer === 'integrity' || requires.includes(check.layer)
  const acceptable = blocks && finding.verdict === 'inconclusive' ? (finding.acceptable ?? ['inconclusive']) : []
  const { accepted, open } = matchAcceptances(context.facts.acceptances, check.name, acceptable)
  return {
    check: check.name,
    layer: check.layer,
    unit: check.unit,
    verdict: finding.verdict,
    value: finding.value,
    limit: finding.limit,
    discrepancies: finding.discrepancies ?? 0,
    detail: finding.detail,
    acceptable: [...open],
    // Part of it does not decide the check.
    accepted: open.length > 0 ? [] : accepted.map(toAcceptedSubject),
    sampleKeys: (finding.sampleKeys ?? []).map((key) => [...key]),
    query: finding.query ?? null,
    seconds: Math.round(performance.now() - started) / 1000,
  }
}

function toErrorFinding(error: unknown, seconds: number): CheckFinding {
  const isTimeout = error instanceof CheckTimeout || errorCode(error) === '57014'
  const code = errorCode(error)
  return {
    value: null,
    limit: null,
    verdict: isTimeout ? 'inconclusive' : 'error',
    acceptable: [`timeout after ${seconds} s`],
    detail: isTimeout
      ? `timed out after ${seconds} s: find out what blocks it, then validate again`
      : `failed with: ${errorMessage(error)}${code === null ? '' : ` (${code})`}; fix the error, then validate again`,
  }
}
