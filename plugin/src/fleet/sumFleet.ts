import type { VitalSignName } from '@sti-rollout/agent/contract'
import { formatCount, formatDuration, formatPercent, formatQuantity } from '@sti-rollout/agent/format'
import { toVital, VITAL_SIGN_LABELS } from '../rollout/vitalSign'
import type { FleetMember } from './fleetMember'

/** A sum over the members, or the worst of them. */
export interface FleetSum {
  readonly label: string
  readonly value: string
  /** The members that make it what it is; empty: none stands out. */
  readonly note: string
  readonly bad: boolean
}

interface Reading {
  readonly label: string
  readonly summary: NonNullable<FleetMember['row']>['summary']
}

/** The sums are signs of the rows; each of these shows its worst member. */
const WORST_SIGNS = ['api-latency-p95', 'api-error-ratio', 'replication-lag'] as const satisfies VitalSignName[]

/** The sums of a fleet, and its worst members. A member that does not answer is in no sum, and is named. */
export function fleetSums(members: readonly FleetMember[]): FleetSum[] {
  const readings = members.flatMap(({ label, row, error }) =>
    row !== null && error === null ? [{ label, summary: row.summary }] : [],
  )
  const silent = members.filter(({ row, error }) => row === null || error !== null)
  return [
    sumFlag(readings, silent),
    sumRows(readings),
    sumCounts('Failed rows', readings, ({ failedRows }) => failedRows),
    sumCounts('Open incidents', readings, ({ openIncidents }) => openIncidents),
    ...WORST_SIGNS.map((name) => worstSign(name, readings)),
  ].filter((sum) => sum !== null)
}

function sumFlag(readings: readonly Reading[], silent: readonly FleetMember[]): FleetSum {
  const on = readings.filter(({ summary }) => summary.flag.enabled).length
  return {
    label: 'Flag on',
    value: `${on} of ${readings.length}`,
    note: silent.length > 0 ? `unknown: ${nameSome(silent.map(({ label }) => label))}` : '',
    bad: false,
  }
}

/** The slowest is the running backfill with the longest time left. */
function sumRows(readings: readonly Reading[]): FleetSum | null {
  const rows = readings.flatMap(({ summary }) => summary.rows ?? [])
  if (rows.length === 0) return null
  const processed = rows.reduce((sum, row) => sum + row.processed, 0)
  const total = rows.reduce((sum, row) => sum + row.total, 0)
  const missing = readings.length - rows.length
  const running = readings.flatMap(({ label, summary: { running } }) =>
    running?.kind === 'backfill' && running.progress ? [{ label, ...running.progress }] : [],
  )
  const [slowest] = running.sort(
    (a, b) => (b.remainingSeconds ?? Infinity) - (a.remainingSeconds ?? Infinity) || a.ratio - b.ratio,
  )
  const left =
    slowest?.remainingSeconds === null || slowest === undefined
      ? ''
      : `, ${formatDuration(slowest.remainingSeconds)} left`
  const notes = [
    slowest && `slowest: ${slowest.label}, ${formatPercent(slowest.ratio)}${left}`,
    missing > 0 && `${formatQuantity(missing, 'member')} without a backfill`,
  ]
  return {
    label: 'Rows done',
    value: `${formatCount(processed)} of ${formatCount(total)}`,
    note: notes.filter(Boolean).join('; '),
    bad: false,
  }
}

function sumCounts(
  label: string,
  readings: readonly Reading[],
  count: (summary: Reading['summary']) => number,
): FleetSum {
  const counts = readings.map((reading) => ({ label: reading.label, count: count(reading.summary) }))
  const sum = counts.reduce((total, entry) => total + entry.count, 0)
  const named = counts.filter((entry) => entry.count > 0).sort((a, b) => b.count - a.count)
  const [worst] = named
  return {
    label,
    value: formatCount(sum),
    note: worst ? (named.length === 1 ? worst.label : `most: ${worst.label}, ${formatCount(worst.count)}`) : '',
    bad: sum > 0,
  }
}

/** The member that exceeds its limit, or is closest to it. */
function worstSign(name: VitalSignName, readings: readonly Reading[]): FleetSum | null {
  const signs = readings.flatMap(({ label, summary }) =>
    summary.vitals.flatMap((sign) => (sign.name === name ? [{ member: label, sign }] : [])),
  )
  const known = signs.filter(({ sign }) => sign.value !== null && sign.state !== 'unknown')
  const unknown = signs.filter(({ sign }) => sign.state === 'unknown').map(({ member }) => member)
  const [worst] = known.sort(
    (a, b) =>
      Number(b.sign.state === 'exceeded') - Number(a.sign.state === 'exceeded') ||
      (b.sign.value ?? 0) / (b.sign.limit ?? 1) - (a.sign.value ?? 0) / (a.sign.limit ?? 1),
  )
  if (!worst && unknown.length === 0) return null
  const exceeded = known.filter(({ sign }) => sign.state === 'exceeded').length
  const notes = [
    worst && `worst: ${worst.member}`,
    exceeded > 1 && `${exceeded} members exceed their limit`,
    worst && unknown.length > 0 && `unknown: ${nameSome(unknown)}`,
    !worst && (unknown.length === readings.length ? 'no member has a reading' : nameSome(unknown)),
  ]
  return {
    label: VITAL_SIGN_LABELS[name],
    value: worst ? toVital(worst.sign, null).value : 'unknown',
    note: notes.filter(Boolean).join('; '),
    bad: exceeded > 0,
  }
}

const MAX_NAMES = 3

function nameSome(names: readonly string[]): string {
  if (names.length <= MAX_NAMES) return names.join(', ')
  return `${names.slice(0, MAX_NAMES - 1).join(', ')}, and ${names.length - MAX_NAMES + 1} more`
}
