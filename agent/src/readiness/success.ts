import type { CheckResult, ReadinessItem } from '../contract/index.ts'
import { isKnown } from '../signals/reading.ts'
import { judgeChecks } from './checks.ts'
import { measured } from './item.ts'
import { allOf, notReady, ready, unknown, type Judged } from './judged.ts'
import type { Seen } from './seen.ts'
import { coverage } from './staging.ts'

/** The plan's success metrics. `others`: the items of its three lists. */
export function successItems(seen: Seen, others: readonly ReadinessItem[]): ReadinessItem[] {
  const of = (list: 'team' | 'documentation'): Judged => allOf(others.filter(({ lists }) => lists.includes(list)))
  const named = (pattern: RegExp) => (check: CheckResult) => pattern.test(check.check)
  return [
    [
      'api-response-time',
      'API response time: < 10% increase from baseline',
      judgeChecks(seen, 'performance', named(/^api-latency-/)),
    ],
    [
      'query-time',
      'Database query performance: < 5% degradation',
      judgeChecks(seen, 'performance', named(/^database-query-time/)),
    ],
    [
      'resource-usage',
      'System resource usage: < 80% peak utilization',
      judgeChecks(seen, 'system', named(/^(cpu|memory|disk|connections)$/)),
    ],
    ['error-rate', 'Error rate: < 0.1% of total operations', judgeChecks(seen, 'system', named(/^error-ratio$/))],
    ['data-validation', '100% data validation success', judgeChecks(seen, 'integrity')],
    [
      'no-loss',
      'Zero data loss or corruption',
      judgeChecks(seen, 'integrity', named(/^(nothing-lost|legacy-checksum|key-unique)$/)),
    ],
    ['full-coverage', '100% STI coverage completion', coverage(seen)],
    ['zero-rollbacks', 'Zero rollback requirements', zeroRollbacks(seen)],
    ['dashboard-uptime', 'Monitoring dashboard uptime: 99.9%', uptime(seen)],
    ['alert-response', 'Alert response time: < 5 minutes for critical', alertResponse(seen)],
    ['team-readiness', 'Team readiness score: 100%', of('team')],
    ['documentation-completeness', 'Documentation completeness: 100%', of('documentation')],
  ].map(([item, line, judged]) => measured(item as string, line as string, ['success'], judged as Judged))
}

/** Rehearsals are no rollbacks. Nor is enhanced monitoring taken back: it takes nothing back of the change itself. */
function zeroRollbacks({ rollbacks, begunAt }: Seen): Judged {
  const last = rollbacks.at(-1)
  if (last === undefined)
    return begunAt === null ? unknown('The rollout has not begun.', 'Begin with sti expand.') : ready('None.', begunAt)
  return notReady(
    `${rollbacks.length}, the last one: ${last.what}.`,
    'Nothing takes this back; say in the change request what was learned from it.',
    last.at,
  )
}

const WANTED_UPTIME = 0.999
/** Of the scrapes that there should be so many must be there: otherwise Prometheus itself was away. */
const ENOUGH_SAMPLES = 0.9

function uptime({ outside }: Seen): Judged {
  const { uptime } = outside
  if (!isKnown(uptime))
    return unknown(
      `Not known: ${uptime.unknown}.`,
      'Let Prometheus scrape Grafana and the agents, as provisioning/prometheus does.',
    )
  const at = new Date(uptime.at).toISOString()
  const say = ({ job, ratio }: { job: string; ratio: number }): string =>
    `${job} ${(Math.floor(ratio * 100_000) / 1_000).toFixed(3)} %`
  const text = uptime.value.map(say).join(', ')
  const few = uptime.value.find(({ samples }) => samples < ENOUGH_SAMPLES)
  const low = uptime.value.find(({ ratio }) => ratio < WANTED_UPTIME)
  if (low !== undefined) return notReady(`Since the rollout began: ${text}.`, `Find out why ${low.job} was away.`, at)
  if (few !== undefined) {
    const part = `${Math.floor(few.samples * 100)} %`
    return unknown(
      `Prometheus has ${part} of the scrapes of ${few.job} since the rollout began.`,
      'Keep its history as long as a rollout takes.',
      at,
    )
  }
  return ready(`Since the rollout began: ${text}.`, at)
}

/** Drills count: they are what the time is trained by. */
function alertResponse({ answered }: Seen): Judged {
  const { incidents, late, slowestSeconds, lastAt } = answered
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
