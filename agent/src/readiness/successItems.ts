import type { CheckResult, ReadinessItem } from '../contract/index.ts'
import { formatDuration, formatPercent, formatQuantity } from '../format/format.ts'
import { isKnown } from '../signals/reading.ts'
import { judgeChecks } from './judgeChecks.ts'
import { measuredItem } from './items.ts'
import { combineItemStates, notReady, ready, step, unknown, type ItemState } from './itemState.ts'
import type { ReadinessInput } from './readinessInput.ts'
import { splitRollbacks, ZERO_ROLLBACKS_ITEM } from './rollbacks.ts'
import { judgeCoverage } from './stagingItems.ts'

const TARGET_UPTIME_RATIO = 0.999
/** With a smaller share of the expected scrapes, Prometheus itself was unavailable. */
const MIN_SAMPLE_RATIO = 0.9

/** The list "Success metrics". Two of its items summarize `listItems`, the items of the other lists. */
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
    [ZERO_ROLLBACKS_ITEM, 'Zero rollback requirements', judgeZeroRollbacks(input)],
    ['dashboard-uptime', 'Monitoring dashboard uptime: 99.9%', judgeUptime(input)],
    ['alert-response', 'Alert response time: < 5 minutes for critical', judgeAlertResponse(input)],
    ['team-readiness', 'Team readiness score: 100%', judgeList('team')],
    ['documentation-completeness', 'Documentation completeness: 100%', judgeList('documentation')],
  ].map(([item, line, judged]) => measuredItem(item as string, line as string, ['success'], judged as ItemState))
}

/** Neither a rehearsal nor disabling enhanced monitoring is a rollback of the change. */
function judgeZeroRollbacks({ rollbacks, begunAt, facts }: ReadinessInput): ItemState {
  if (begunAt === null)
    return unknown('The rollout has not started.', step('Press Expand on the page of the rollout.', 'sti expand'))
  const { counted, excluded } = splitRollbacks(rollbacks, facts.acceptances)
  const exclusions = excluded.map(
    ({ subject, by, reason, expiresAt }) =>
      `${subject} was excluded by ${by.name} until ${expiresAt.slice(0, 10)} (${reason})`,
  )
  const last = counted.at(-1)
  if (last === undefined) return ready(['No rollbacks', ...exclusions].join('; ') + '.', excluded.at(0)?.at ?? begunAt)
  return notReady(
    `${[`${formatQuantity(counted.length, 'rollback')}, most recently: ${last.what} (${last.name})`, ...exclusions].join('; ')}.`,
    step(
      `If a drill, a rehearsal, or the fault of a demo caused it, an admin can exclude ${last.name}: press Accept next to it on the Readiness page. Otherwise document the cause in the change request.`,
      `sti accept-check ${ZERO_ROLLBACKS_ITEM} --subject ${last.name} --reason "…"`,
    ),
    last.at,
  )
}

function judgeUptime({ outside }: ReadinessInput): ItemState {
  const { uptime } = outside
  if (!isKnown(uptime))
    return unknown(
      `Uptime is unknown: ${uptime.unknown}.`,
      'Configure Prometheus to scrape Grafana and the agents (see provisioning/prometheus).',
    )
  const at = new Date(uptime.at).toISOString()
  const describeUptime = ({ job, ratio }: { job: string; ratio: number }): string => `${job} ${formatPercent(ratio)}`
  const text = uptime.value.map(describeUptime).join(', ')
  const sparseJob = uptime.value.find(({ samples }) => samples < MIN_SAMPLE_RATIO)
  const lowUptimeJob = uptime.value.find(({ ratio }) => ratio < TARGET_UPTIME_RATIO)
  if (lowUptimeJob !== undefined)
    return notReady(
      `Uptime since the rollout started: ${text} (target ${formatPercent(TARGET_UPTIME_RATIO)}).`,
      `Find out why ${lowUptimeJob.job} was unavailable.`,
      at,
    )
  if (sparseJob !== undefined) {
    return unknown(
      `Prometheus has ${formatPercent(sparseJob.samples)} of the scrapes of ${sparseJob.job} since the rollout started.`,
      'Set the retention of Prometheus longer than the rollout takes.',
      at,
    )
  }
  return ready(`Uptime since the rollout started: ${text}.`, at)
}

/** Drills are included, since they train the response time, if somebody else than their starter responded. */
function judgeAlertResponse({ incidentResponse }: ReadinessInput): ItemState {
  const { incidents, open, untested, late, slowestSeconds, lastAt } = incidentResponse
  if (incidents === 0)
    return unknown(
      untested === 0
        ? 'There have been no critical incidents and no drills.'
        : `${formatQuantity(untested, 'drill')} acknowledged by the person who started it, which tests nobody else.`,
      step('Press Start drill on the Incidents page, and let somebody else acknowledge it.', 'sti drill'),
      lastAt,
    )
  if (late > 0)
    return notReady(
      `${late} of ${formatQuantity(incidents, 'critical incident')} not acknowledged within 5 minutes.`,
      step(
        'This item cannot become ready again. Find the cause, and practice: press Start drill on the Incidents page.',
        'sti drill',
      ),
      lastAt,
    )
  if (open > 0 || slowestSeconds === null)
    return notReady(
      `${open} of ${formatQuantity(incidents, 'critical incident')} open and not acknowledged.`,
      step('Press Acknowledge on the Incidents page.', 'sti incidents acknowledge <id>'),
      lastAt,
    )
  return ready(
    `All ${formatQuantity(incidents, 'critical incident')} acknowledged in time (slowest: ${formatDuration(slowestSeconds)}).`,
    lastAt,
  )
}
