import type { ReadinessItem } from '../contract/index.ts'
import { isKnown } from '../signals/reading.ts'
import { ALERT_PROCEDURE_ITEM } from './signOffItems.ts'
import { attestedItem, measuredItem } from './items.ts'
import { notReady, ready, step, unknown, type ItemState } from './itemState.ts'
import type { ReadinessInput } from './readinessInput.ts'
import { judgeDashboard } from './stagingItems.ts'

/** The list "Monitoring and observability". */
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
    return unknown(
      `Alert rules could not be read: ${alertRules.unknown}.`,
      'Give the agent access to Prometheus or Grafana.',
    )
  const at = new Date(alertRules.at).toISOString()
  const loaded = alertRules.value.filter((source) => source.loaded > 0)
  if (loaded.length === 0)
    return notReady(
      `No STI alert rules are loaded in ${alertRules.value.map(({ place }) => place).join(' or ')}.`,
      step(
        'Press Generate provisioning files on the Configuration page and put them into Grafana’s provisioning folder, or load alerts/*.rules.yml into Prometheus.',
        'sti provisioning alerting.yaml --output <folder>',
      ),
      at,
    )
  const broken = loaded.find((source) => source.broken.length > 0)
  if (broken !== undefined)
    return notReady(
      `${broken.place} cannot evaluate ${broken.broken.join(', ')}.`,
      `See the error on the alert rules page of ${broken.place}.`,
      at,
    )
  const rules = loaded.map((source) => `${source.place} evaluates ${source.loaded} STI alert rules`)
  return ready(`${rules.join(', ')}.`, at)
}

function judgeMetrics({ families, outside: { scraped }, environment }: ReadinessInput): ItemState {
  const summary = `The agent exports ${families} metric families`
  if (!isKnown(scraped))
    return unknown(
      `${summary}; it is unknown if Prometheus scrapes them: ${scraped.unknown}.`,
      'Give the agent access to Prometheus.',
    )
  const at = new Date(scraped.at).toISOString()
  if (scraped.value > 0) return ready(`${summary}, and Prometheus scrapes them.`, at)
  return notReady(
    `${summary}, but Prometheus has no metrics of ${environment}.`,
    'Configure Prometheus to scrape /metrics of the agent.',
    at,
  )
}

function judgeBaseline({ facts: { baseline } }: ReadinessInput): ItemState {
  const instruction = step(
    'Press Take baseline on the Validation page while the flag is off. Taken before you expand, it also shows the cost of the trigger.',
    'sti baseline',
  )
  if (baseline === null) return notReady('This environment has no baseline.', instruction)
  if (baseline.unusable.length > 0)
    return notReady(
      `Baseline ${baseline.id} cannot be used: ${baseline.unusable.join('; ')}.`,
      instruction,
      baseline.endedAt,
    )
  const known = baseline.signals.filter(({ mean }) => mean !== null).length
  const summary = `Baseline ${baseline.id} (${baseline.source}) ended at ${baseline.endedAt}`
  if (known === 0) return unknown(`${summary}, but contains no signals.`, instruction, baseline.endedAt)
  return ready(`${summary}; it contains ${known} of ${baseline.signals.length} signals.`, baseline.endedAt)
}
