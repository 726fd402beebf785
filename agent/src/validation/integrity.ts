import type { CheckResult, Verdict } from '../contract/index.ts'
import type { Facts } from '../engine/facts.ts'
import type { Scan } from './scan.ts'

/** The checks of the integrity layer, each from one reading. A new check is one more entry here. */
/** `acceptedWrong`: rows without a right type that an admin has accepted by key, counted after the scan. */
export function integrityChecks(scan: Scan, facts: Facts, acceptedWrong: number): CheckResult[] {
  const right = scan.rows - scan.discrepancies - scan.raising - rightlyNull(scan)
  return [
    check('coverage', scan.rows - right <= acceptedWrong, {
      value: coverageOf(scan),
      limit: 1,
      discrepancies: Math.max(0, scan.rows - right - acceptedWrong),
      detail:
        `${right} of ${scan.rows} rows hold the type that their legacy columns say` +
        (acceptedWrong > 0 ? `; ${acceptedWrong} others were accepted by an admin` : ''),
      sampleKeys: scan.discrepancyKeys,
    }),
    check('type-matches-legacy', scan.discrepancies <= acceptedWrong, {
      value: scan.discrepancies,
      limit: 0,
      discrepancies: scan.discrepancies,
      detail:
        scan.discrepancies === 0 ? 'no row says otherwise' : 'rows whose type is not what their legacy columns say',
      sampleKeys: scan.discrepancyKeys,
    }),
    check('no-unknown-type', scan.unknownTypes === 0, {
      value: scan.unknownTypes,
      limit: 0,
      discrepancies: scan.unknownTypes,
      detail: `the file knows ${facts.rollout.types.join(', ')}`,
    }),
    check('no-failed-row', facts.failedRows === 0, {
      value: facts.failedRows,
      limit: 0,
      discrepancies: facts.failedRows,
      detail: facts.failedRows === 0 ? 'none' : 'mend them and retry, or let an admin accept them by key',
    }),
    check('expression-never-raises', scan.raising <= acceptedWrong, {
      value: scan.raising,
      limit: 0,
      discrepancies: scan.raising,
      detail: scan.raising === 0 ? 'on no row' : 'the conditions of the file raise an error on these rows',
      sampleKeys: scan.raisingKeys,
    }),
    check('dual-write-trigger', facts.triggerFault === null, {
      value: null,
      limit: null,
      discrepancies: 0,
      detail: facts.triggerFault ?? 'there, on, of this file, and the last of its sort',
    }),
  ]
}

/** Rows with a correct type / all rows, rounded down; 1 only when equal. */
export function coverageOf(scan: Scan): number {
  const right = scan.rows - scan.discrepancies - scan.raising - rightlyNull(scan)
  if (scan.rows === right) return 1
  return Math.floor((right * 1_000_000) / scan.rows) / 1_000_000
}

/** Rows no type matches hold NULL as they should, which is still no type. */
function rightlyNull(scan: Scan): number {
  return scan.confusion.find((cell) => cell.expected === null && cell.actual === null)?.rows ?? 0
}

/** Of several: an error outweighs a fail, which outweighs what could not be decided. */
export function overall(checks: readonly CheckResult[]): Verdict {
  const order: Verdict[] = ['error', 'fail', 'inconclusive']
  return (
    order.find((verdict) => checks.some((one) => one.verdict === verdict)) ??
    (checks.length === 0 ? 'inconclusive' : 'pass')
  )
}

function check(
  name: string,
  passed: boolean,
  rest: Pick<CheckResult, 'value' | 'limit' | 'discrepancies' | 'detail'> & {
    sampleKeys?: readonly (readonly string[])[]
  },
): CheckResult {
  const sampleKeys = (rest.sampleKeys ?? []).map((key) => [...key])
  return { ...rest, check: name, layer: 'integrity', verdict: passed ? 'pass' : 'fail', sampleKeys }
}
