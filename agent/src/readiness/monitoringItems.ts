import type { ReadinessItem } from '../contract/index.ts'
import { isKnown } from '../signals/reading.ts'
import { ALERT_PROCEDURE_ITEM } from './signOffItems.ts'
import { attestedItem, measuredItem } from './items.ts'
import { notReady, ready, unknown, type ItemState } from './itemState.ts'
import type { ReadinessInput } from './readinessInput.ts'
import { judgeDashboard } from './stagingItems.ts'

/** "Monitoring & Observability". */
export function monitoringItems(input: ReadinessInput): ReadinessItem[] {
  return [
    measuredItem('dashboard', 'Grafana dashboard deployed with 8 panels', ['monitoring'], judgeDashboard(input)),
    measuredItem('alerts', 'Prometheus alerting configured', ['monitoring'], judgeAlertRules(input)),
    measuredItem('metrics', 'Custom metrics implemented', ['monitoring'], judgeMetrics(input)),
    measuredItem('baseline', 'Performance baseline established', ['monitoring'], judgeBaseline(input)),
    attestedItem(input, ALERT_PROCEDURE_ITEM, 'Alert response procedures tested', ['monitoring', 'team']),
  ]
}

function judgeAlertRules({ outside: { alertRules } }: ReadinessInput): ItemState {
  if (!isKnown(alertRules))
    return unknown(`Nobody could be asked for alert rules: ${alertRules.unknown}.`, 'Let the agent reach Prometheus.')
  const at = new Date(alertRules.at).toISOString()
  const loaded = alertRules.value.filter((one) => one.loaded > 0)
  if (loaded.length === 0)
    return notReady(
      `${alertRules.value.map(({ place }) => place).join(' and ')} has no alert rule of ours.`,
      'Provision them in Grafana (sti provisioning), or load alerts/*.rules.yml into Prometheus.',
      at,
    )
  const broken = loaded.find((one) => one.broken.length > 0)
  if (broken !== undefined)
    return notReady(
      `${broken.place} cannot evaluate ${broken.broken.join(', ')}.`,
      `Look at the page of rules of ${broken.place}.`,
      at,
    )
  const rules = loaded.map((one) => `${one.place} evaluates ${one.loaded} alert rules of ours`)
  return ready(`${rules.join(', ')}.`, at)
}

function judgeMetrics({ families, outside: { scraped }, environment }: ReadinessInput): ItemState {
  const own = `The agent gives ${families} families of its own`
  if (!isKnown(scraped))
    return unknown(
      `${own}; whether they are scraped is not known: ${scraped.unknown}.`,
      'Let the agent reach Prometheus.',
    )
  const at = new Date(scraped.at).toISOString()
  if (scraped.value > 0) return ready(`${own}, and Prometheus scrapes them.`, at)
  return notReady(`${own}, and Prometheus has none of ${environment}.`, 'Let it scrape /metrics of the agent.', at)
}

function judgeBaseline({ facts: { baseline } }: ReadinessInput): ItemState {
  const instruction = 'Take one before expand (sti baseline).'
  if (baseline === null) return notReady('There is none of this environment.', instruction)
  if (baseline.unusable.length > 0)
    return notReady(
      `Baseline ${baseline.id} cannot be used: ${baseline.unusable.join('; ')}.`,
      instruction,
      baseline.endedAt,
    )
  const known = baseline.signals.filter(({ mean }) => mean !== null).length
  const summary = `Baseline ${baseline.id} (${baseline.source}) ended at ${baseline.endedAt}`
  if (known === 0) return unknown(`${summary}, and knows no signal.`, instruction, baseline.endedAt)
  return ready(`${summary}; it knows ${known} of ${baseline.signals.length} signals.`, baseline.endedAt)
}
