import type { CheckResult } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { codeOf, isAway, messageOf } from '../engine/errors.ts'
import type { Check, CheckContext, Finding } from './check.ts'
import type { Scan } from './scan/scan.ts'

type Context = Omit<CheckContext, 'sql' | 'scan' | 'signal'>

const SECONDS = 30

class TookTooLong extends Error {}

/**
 * Runs one check within its time. What it throws is its verdict; the others go on. Null: it does not apply now.
 * @throws what says that the database is away: then nothing can be judged, and all of it goes on later
 */
export async function runCheck(check: Check, context: Context, scanned: Scan | null): Promise<CheckResult | null> {
  const seconds = check.seconds ?? SECONDS
  const started = performance.now()
  const abort = new AbortController()
  let opened: Sql | null = null
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TookTooLong())
      abort.abort()
    }, seconds * 1000)
  })
  const own: CheckContext = {
    ...context,
    signal: abort.signal,
    get sql() {
      opened ??= context.run.database.engine({
        purpose: `check ${check.name}`,
        searchPath: context.rollout.searchPath,
        readOnly: true,
        statementTimeoutMs: seconds * 1000,
      })
      return opened
    },
    scan() {
      if (scanned === null) throw new Error(`check ${check.name} asks for the reading without needsScan`)
      return scanned
    },
  }
  let finding: Finding | null
  try {
    finding = await Promise.race([check.run(own), late])
  } catch (error) {
    if (isAway(error)) throw error
    finding = unanswered(error, seconds)
  } finally {
    clearTimeout(timer)
    // What still runs on the server ends by its own time-out.
    await (opened as Sql | null)?.end({ timeout: 0 })
  }
  if (finding === null) return null
  return {
    check: check.name,
    layer: check.layer,
    verdict: finding.verdict,
    value: finding.value,
    limit: finding.limit,
    discrepancies: finding.discrepancies ?? 0,
    detail: finding.detail,
    sampleKeys: (finding.sampleKeys ?? []).map((key) => [...key]),
    query: finding.query ?? null,
    seconds: Math.round(performance.now() - started) / 1000,
  }
}

function unanswered(error: unknown, seconds: number): Finding {
  const late = error instanceof TookTooLong || codeOf(error) === '57014'
  const code = codeOf(error)
  return {
    value: null,
    limit: null,
    verdict: late ? 'inconclusive' : 'error',
    detail: late
      ? `it took longer than ${seconds} s and was given up: look at what holds it up, then validate again`
      : `it could not be answered, ${messageOf(error)}${code === null ? '' : ` (${code})`}: mend that, then validate again`,
  }
}
