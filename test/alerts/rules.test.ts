import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { findAlertRule } from '../../agent/src/alert/alertRules.ts'
import { SERIES_NAMES } from '../../agent/src/metrics/names.ts'

interface PrometheusAlertRule {
  readonly alert: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}
interface PromtoolTest {
  readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[]
}

const root = new URL('../../', import.meta.url)
const names = (await readdir(new URL('alerts/', root))).filter((name) => name.endsWith('.rules.yml'))
const yaml = async (path: string): Promise<unknown> => parse(await readFile(new URL(path, root), 'utf8'))
const files = await Promise.all(
  names.map(async (name) => (await yaml(`alerts/${name}`)) as { groups: { rules: PrometheusAlertRule[] }[] }),
)
const rules = files.flatMap(({ groups }) => groups.flatMap((group) => group.rules))
const runbook = await readFile(new URL('alerts/RUNBOOK.md', root), 'utf8')
const dashboard = (await yaml('plugin/src/dashboards/sti-rollout-monitoring.json')) as { panels: { title: string }[] }

test.each(rules)('$alert uses only series that the agent exports', ({ expr }) => {
  const known = new Set([...SERIES_NAMES, 'up'])
  for (const series of expr.match(/\b(?:sti_\w+|up)\b(?=[{)\] ]|$)/gm) ?? []) expect(known).toContain(series)
})

test.each(rules)('$alert has a severity and links to its rollout, its panel, and its runbook section', (rule) => {
  const { alert, labels = {}, annotations } = rule
  // An open incident has its own severity.
  if (alert.startsWith('StiIncident')) expect(rule.expr).toContain('by (environment, rollout, severity)')
  else expect(labels['severity']).toMatch(/^(critical|warning|info)$/)
  expect(Object.keys(annotations)).toEqual([
    'summary',
    'description',
    'rollout_url',
    'runbook_url',
    'dashboard',
    'panel',
  ])
  expect(annotations['rollout_url']).toMatch(/^\{\{ \$externalLabels\.grafana \}\}\/a\/sti-rollout-app\/rollouts/)
  // The rollout's page shows the time around the incident of this rule.
  if (annotations['rollout_url']!.includes('$labels.rollout') && !alert.startsWith('StiIncident'))
    expect(annotations['rollout_url']).toMatch(new RegExp(`\\?alert=${alert}$`))
  expect(annotations['runbook_url']).toMatch(new RegExp(`/runbook#${alert.toLowerCase()}$`))
  expect(dashboard.panels.map(({ title }) => title)).toContain(annotations['panel'])
})

test.each([...new Set(rules.map(({ alert }) => alert))])('the runbook section of %s is complete', (alert) => {
  const [, section] = runbook.split(new RegExp(`^### ${alert}$`, 'm'))
  const paragraphs = section?.split(/^##/m)[0]?.match(/^\*\*[A-Z][a-z]+( [a-z]+)?\*\*/gm)
  expect(paragraphs).toEqual(['**Means**', '**Check**', '**Do**', '**Resolved when**'])
})

test.each(rules)('the agent has the same severity and rollback scope for $alert', ({ alert, labels = {} }) => {
  expect(findAlertRule(alert)).toMatchObject({
    severity: labels['severity'] ?? 'critical',
    scope: labels['sti_rollback'] ?? null,
  })
})

test('rollback rules go to the agents with their scope and page nobody', () => {
  const rollbacks = rules.filter(({ labels }) => labels?.['sti_rollback'] !== undefined)
  expect(rollbacks.map(({ alert }) => alert)).toEqual([
    'StiApiLatencyHigh',
    'StiApiErrorsHigh',
    'StiDiscrepancyAfterCoverage',
  ])
  for (const { labels } of rollbacks) expect(labels).toMatchObject({ sti_rollback: 'flag', sti_receiver: 'agents' })
  const paging = rules.filter(({ labels }) => labels?.['sti_receiver'] === undefined).map(({ alert }) => alert)
  expect(paging).toEqual(expect.arrayContaining(['StiIncidentOpen', 'StiIncidentEscalation', 'StiAgentDown']))
})

test('each rule has a promtool test in which it fires and one in which it does not', async () => {
  const tests = (await Promise.all(names.map((name) => yaml(`alerts/tests/${name.replace('.rules.', '.test.')}`)))) as {
    tests: PromtoolTest[]
  }[]
  const cases = tests.flatMap((file) => file.tests.flatMap((promtoolTest) => promtoolTest.alert_rule_test))
  for (const { alert } of rules) {
    const own = cases.filter(({ alertname }) => alertname === alert)
    expect(
      own.some(({ exp_alerts: expected }) => expected.length > 0),
      `${alert} fires`,
    ).toBe(true)
    expect(
      own.some(({ exp_alerts: expected }) => expected.length === 0),
      `${alert} does not fire`,
    ).toBe(true)
  }
})
