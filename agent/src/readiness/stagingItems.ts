import type { ReadinessItem } from '../contract/index.ts'
import { formatPercent, formatQuantity } from '../format/format.ts'
import { CONFLICTS_CHECK, correctedWritesRefusals, describeCorrectedWrites } from '../dualWrite/correctedWrites.ts'
import { DASHBOARD_PANELS } from '../provisioning/dashboardPanels.ts'
import { isKnown } from '../signals/reading.ts'
import { judgeChecks } from './judgeChecks.ts'
import { measuredItem } from './items.ts'
import { combineItemStates, notReady, ready, step, unknown, type ItemState } from './itemState.ts'
import type { ReadinessInput } from './readinessInput.ts'

/** The list "Staging validation complete". If the file requires a promotion, the items come from the promoted report. */
export function stagingItems(input: ReadinessInput): ReadinessItem[] {
  const items = [
    measuredItem('coverage', '100% STI coverage in staging environment', ['staging'], judgeCoverage(input)),
    measuredItem(
      'dual-write',
      'Dual-write verification working correctly',
      ['staging'],
      combineItemStates([...judgeCorrectedWrites(input), judgeChecks(input, 'integrity', isDualWriteCheck)]),
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
    return ready(`All ${formatQuantity(validation.totalRows ?? 0, 'row')} have the correct type.`, checkState.since)
  return notReady(
    `${formatPercent(validation.coverage ?? 0)} of the rows have the correct type; an admin accepted the others.`,
    'Fix the accepted rows, retry them, then validate again.',
    checkState.since,
  )
}

const isDualWriteCheck = ({ check }: { readonly check: string }): boolean => /^dual-write-/.test(check)

/** Code that writes conflicts makes dual write fail once finalize has run. */
function judgeCorrectedWrites({ facts }: ReadinessInput): ItemState[] {
  const { rollout, correctedWrites } = facts
  if (correctedWrites === null || correctedWritesRefusals(rollout, correctedWrites).length === 0) return []
  return [
    notReady(
      describeCorrectedWrites(rollout, correctedWrites),
      step(
        'Change the code that sets the type, or accept each statement by name.',
        `sti accept-check ${CONFLICTS_CHECK}`,
      ),
      correctedWrites.lastAt,
    ),
  ]
}

export function judgeDashboards({ outside, environment }: ReadinessInput): ItemState {
  return combineItemStates([judgeDashboard({ outside }), judgeScraping(outside, environment)])
}

/** Grafana is healthy, and its dashboard has every panel. */
export function judgeDashboard({ outside }: Pick<ReadinessInput, 'outside'>): ItemState {
  const { grafana } = outside
  if (!isKnown(grafana))
    return unknown(`Grafana is unavailable: ${grafana.unknown}.`, 'Give the agent access to Grafana (STI_GRAFANA_URL).')
  const at = new Date(grafana.at).toISOString()
  const { version, missing, url } = grafana.value
  if (!isKnown(missing))
    return unknown(
      `Grafana ${version} is available, but ${missing.unknown}.`,
      `Give the agent a service account of its own: sti grafana-token --grafana ${url} --output <file>. STI_GRAFANA_TOKEN_FILE of the agent names that file.`,
      at,
    )
  if (missing.value.length === 0)
    return ready(`Grafana ${version} is available, and its dashboard has all ${DASHBOARD_PANELS.length} panels.`, at)
  return notReady(
    `The dashboard in Grafana is missing ${formatQuantity(missing.value.length, 'panel')}: ${missing.value.join(', ')}.`,
    'Provision the dashboard from provisioning/grafana/dashboards.',
    at,
  )
}

function judgeScraping({ scraped }: ReadinessInput['outside'], environment: string): ItemState {
  if (!isKnown(scraped))
    return unknown(
      `Prometheus is unavailable: ${scraped.unknown}.`,
      'Give the agent access to Prometheus (STI_PROMETHEUS_URL).',
    )
  const at = new Date(scraped.at).toISOString()
  if (scraped.value > 0)
    return ready(`Prometheus scrapes ${formatQuantity(scraped.value, 'agent')} in ${environment}.`, at)
  return notReady(
    `Prometheus has no metrics of ${environment}.`,
    'Configure Prometheus to scrape /metrics of the agent (see provisioning/prometheus).',
    at,
  )
}

/** The watchdog alert always fires, so its arrival tests the whole path: Prometheus, rule, contact point, webhook. */
export function judgeAlertPath({
  alertPath: { seenAt, live, starting },
}: Pick<ReadinessInput, 'alertPath'>): ItemState {
  const instruction =
    'See StiWatchdog in the runbook: check Prometheus, the alert rules, the contact point for agents, and the webhook secret.'
  if (starting)
    return unknown(
      'The agent has just started, and the watchdog alert is sent every minute.',
      'Wait three minutes. Then this item shows if alerts reach the agent.',
    )
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
      `No valid report from ${from} has been uploaded.`,
      step(
        `Download the report as JSON in ${from}, then press Submit report on the Validation page here.`,
        'sti promote report.json',
      ),
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
