import type { ReadinessItem } from '../contract/index.ts'
import { isKnown } from '../signals/reading.ts'
import { judgeChecks } from './judgeChecks.ts'
import { measuredItem } from './items.ts'
import { combineItemStates, notReady, ready, unknown, type ItemState } from './itemState.ts'
import type { ReadinessInput } from './readinessInput.ts'

/** "Staging Validation Complete". Where the file wants a promotion, the report of that environment says it. */
export function stagingItems(input: ReadinessInput): ReadinessItem[] {
  const items = [
    measuredItem('coverage', '100% STI coverage in staging environment', ['staging'], judgeCoverage(input)),
    measuredItem(
      'dual-write',
      'Dual-write verification working correctly',
      ['staging'],
      judgeChecks(input, 'integrity', isDualWriteCheck),
    ),
    measuredItem(
      'performance',
      'Performance validation within 10% of baseline',
      ['staging'],
      judgeChecks(input, 'performance'),
    ),
    measuredItem('dashboards', 'All monitoring dashboards live and functional', ['staging'], judgeDashboards(input)),
    measuredItem('alerting', 'Alerting system configured and tested', ['staging'], judgeAlertPath(input)),
    measuredItem('integrity', 'Data integrity validation passed', ['staging'], judgeChecks(input, 'integrity')),
    measuredItem(
      'resources',
      'System resource usage within acceptable limits',
      ['staging'],
      judgeChecks(input, 'system'),
    ),
  ]
  return input.facts.promotion === null ? items : items.map((item) => applyPromotedReport(input, item))
}

export function judgeCoverage(input: ReadinessInput): ItemState {
  const { validation } = input.facts
  const checkState = judgeChecks(input, 'integrity', ({ check }) => check === 'coverage')
  if (checkState.state !== 'ready' || validation === null) return checkState
  if (validation.coverage === 1)
    return ready(`All of ${validation.totalRows} rows have the right type.`, checkState.since)
  return notReady(
    `${validation.coverage} of the rows have the right type; an admin has accepted the others.`,
    'Mend the accepted rows and retry them, then validate again.',
    checkState.since,
  )
}

const isDualWriteCheck = ({ check }: { readonly check: string }): boolean => /^dual-write-/.test(check)

export function judgeDashboards({ outside, environment }: ReadinessInput): ItemState {
  return combineItemStates([judgeDashboard({ outside }), judgeScraping(outside, environment)])
}

/** Grafana answers, and its dashboard has the eight panels. */
export function judgeDashboard({ outside }: Pick<ReadinessInput, 'outside'>): ItemState {
  const { grafana } = outside
  if (!isKnown(grafana))
    return unknown(`Grafana could not be asked: ${grafana.unknown}.`, 'Let the agent reach Grafana (STI_GRAFANA_URL).')
  const at = new Date(grafana.at).toISOString()
  const { version, missing } = grafana.value
  if (!isKnown(missing))
    return unknown(`Grafana ${version} answers; ${missing.unknown}.`, 'Let the agent read the dashboard.', at)
  if (missing.value.length === 0) return ready(`Grafana ${version} answers; its dashboard has all eight panels.`, at)
  return notReady(
    `The dashboard in Grafana lacks ${missing.value.join(', ')}.`,
    'Provision it: provisioning/grafana/dashboards.',
    at,
  )
}

function judgeScraping({ scraped }: ReadinessInput['outside'], environment: string): ItemState {
  if (!isKnown(scraped))
    return unknown(`Prometheus could not be asked: ${scraped.unknown}.`, 'Let the agent reach Prometheus.')
  const at = new Date(scraped.at).toISOString()
  if (scraped.value > 0) return ready(`Prometheus scrapes ${scraped.value} of the agents of ${environment}.`, at)
  return notReady(
    `Prometheus has no series of ${environment}.`,
    'Let it scrape /metrics of the agent: provisioning/prometheus.',
    at,
  )
}

/** The rule that always fires has come all the way: Prometheus, the rule, the contact point, the signed webhook. */
export function judgeAlertPath({ alertPath: { seenAt, live } }: Pick<ReadinessInput, 'alertPath'>): ItemState {
  const instruction =
    'See StiWatchdog in the runbook: Prometheus, the rules, the contact point of the agents, the secret.'
  if (seenAt === null) return unknown('The watchdog alert has not reached this agent since it started.', instruction)
  const at = new Date(seenAt).toISOString()
  if (live) return ready(`The watchdog alert reached this agent at ${at}.`, at)
  return notReady(`The watchdog alert has not reached this agent since ${at}.`, instruction, at)
}

function applyPromotedReport({ promotedReport, facts }: ReadinessInput, localItem: ReadinessItem): ReadinessItem {
  const { from } = facts.promotion!
  const promotedItem = promotedReport?.items.find(({ item }) => item === localItem.item)
  if (promotedReport === null || promotedItem === undefined) {
    const missingReport = unknown(
      `No report of ${from} that counts has been handed in.`,
      `Promote it from ${from} (sti promote report.json).`,
    )
    return { ...localItem, ...missingReport }
  }
  return {
    ...localItem,
    ...promotedItem,
    lists: localItem.lists,
    sentence: `${from}, ${promotedReport.at.slice(0, 10)}: ${promotedItem.sentence}`,
  }
}
