import type { CheckResult, ReadinessItem } from '../contract/index.ts'
import { isKnown } from '../signals/reading.ts'
import { judgeChecks } from './judgeChecks.ts'
import { measuredItem } from './items.ts'
import { combineItemStates, notReady, ready, unknown, type ItemState } from './itemState.ts'
import type { ReadinessInput } from './readinessInput.ts'
import { judgeCoverage } from './stagingItems.ts'

/** The plan's success metrics. `others`: the items of its three lists. */
export function successItems(input: ReadinessInput, listItems: readonly ReadinessItem[]): ReadinessItem[] {
  const judgeList = (list: 'team' | 'documentation'): ItemState =>
    combineItemStates(listItems.filter(({ lists }) => lists.includes(list)))
  const matchesName = (pattern: RegExp) => (check: CheckResult) => pattern.test(check.check)
  return [
    [
      'api-response-time',
      'API response time: < 10% increase from baseline',
      judgeChecks(input, 'performance', matchesName(/^api-latency-/)),
    ],
    [
      'query-time',
      'Database query performance: < 5% degradation',
      judgeChecks(input, 'performance', matchesName(/^database-query-time/)),
    ],
    [
      'resource-usage',
      'System resource usage: < 80% peak utilization',
      judgeChecks(input, 'system', matchesName(/^(cpu|memory|disk|connections)$/)),
    ],
    [
      'error-rate',
      'Error rate: < 0.1% of total operations',
      judgeChecks(input, 'system', matchesName(/^error-ratio$/)),
    ],
    ['data-validation', '100% data validation success', judgeChecks(input, 'integrity')],
    [
      'no-loss',
      'Zero data loss or corruption',
      judgeChecks(input, 'integrity', matchesName(/^(nothing-lost|legacy-checksum|key-unique)$/)),
    ],
    ['full-coverage', '100% STI coverage completion', judgeCoverage(input)],
    ['zero-rollbacks', 'Zero rollback requirements', judgeZeroRollbacks(input)],
    ['dashboard-uptime', 'Monitoring dashboard uptime: 99.9%', judgeUptime(input)],
    ['alert-response', 'Alert response time: < 5 minutes for critical', judgeAlertResponse(input)],
    ['team-readiness', 'Team readiness score: 100%', judgeList('team')],
    ['documentation-completeness', 'Documentation completeness: 100%', judgeList('documentation')],
  ].map(([item, line, judged]) => measuredItem(item as string, line as string, ['success'], judged as ItemState))
}

/** Rehearsals are no rollbacks. Nor is enhanced monitoring taken back: it takes nothing back of the change itself. */
function judgeZeroRollbacks({ rollbacks, begunAt }: ReadinessInput): ItemState {
  const last = rollbacks.at(-1)
  if (last === undefined)
    return begunAt === null ? unknown('The rollout has not begun.', 'Begin with sti expand.') : ready('None.', begunAt)
  return notReady(
    `${rollbacks.length}, the last one: ${last.what}.`,
    'Nothing takes this back; say in the change request what was learned from it.',
    last.at,
  )
}

const TARGET_UPTIME_RATIO = 0.999
/** Of the scrapes that there should be so many must be there: otherwise Prometheus itself was away. */
const MIN_SAMPLE_RATIO = 0.9

function judgeUptime({ outside }: ReadinessInput): ItemState {
  const { uptime } = outside
  if (!isKnown(uptime))
    return unknown(
      `Not known: ${uptime.unknown}.`,
      'Let Prometheus scrape Grafana and the agents, as provisioning/prometheus does.',
    )
  const at = new Date(uptime.at).toISOString()
  const describeUptime = ({ job, ratio }: { job: string; ratio: number }): string =>
    `${job} ${(Math.floor(ratio * 100_000) / 1_000).toFixed(3)} %`
  const text = uptime.value.map(describeUptime).join(', ')
  const sparseJob = uptime.value.find(({ samples }) => samples < MIN_SAMPLE_RATIO)
  const lowUptimeJob = uptime.value.find(({ ratio }) => ratio < TARGET_UPTIME_RATIO)
  if (lowUptimeJob !== undefined)
    return notReady(`Since the rollout began: ${text}.`, `Find out why ${lowUptimeJob.job} was away.`, at)
  if (sparseJob !== undefined) {
    const part = `${Math.floor(sparseJob.samples * 100)} %`
    return unknown(
      `Prometheus has ${part} of the scrapes of ${sparseJob.job} since the rollout began.`,
      'Keep its history as long as a rollout takes.',
      at,
    )
  }
  return ready(`Since the rollout began: ${text}.`, at)
}

/** Drills count: they are what the time is trained by. */
function judgeAlertResponse({ incidentResponse }: ReadinessInput): ItemState {
  const { incidents, late, slowestSeconds, lastAt } = incidentResponse
  if (incidents === 0)
    return unknown('There has been no critical incident, and no drill.', 'Have one answered that is none: sti drill.')
  if (late > 0)
    return notReady(
      `${late} of ${incidents} critical incidents were not answered within 5 minutes.`,
      'Find out why, and drill it (sti drill): nothing takes this back.',
      lastAt,
    )
  if (slowestSeconds === null)
    return unknown(`${incidents} critical incidents are open, and it is not over yet.`, 'Acknowledge them.', lastAt)
  return ready(
    `All ${incidents} critical incidents were answered, the slowest in ${Math.round(slowestSeconds)} s.`,
    lastAt,
  )
}
