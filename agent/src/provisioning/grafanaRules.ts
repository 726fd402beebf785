import type { EscalationReceiver } from './escalation.ts'
import { splitCondition } from './ruleCondition.ts'
import type { AlertingFile } from './alertingFile.ts'
import { DASHBOARD_PANELS } from './dashboardPanels.ts'
import type { AlertingRule, RuleGroup } from './prometheusRules.ts'

export const AGENTS_RECEIVER = 'STI agents'
const ESCALATION_ALERT = 'StiIncidentEscalation'
/** The interval of Grafana's scheduler. */
const SCHEDULER_TICK_SECONDS = 10

interface ProvisionedRule {
  readonly uid: string
  readonly [setting: string]: unknown
}

interface ProvisionedGroup {
  readonly orgId: number
  readonly name: string
  readonly folder: string
  readonly interval: string
  readonly rules: readonly ProvisionedRule[]
}

/** The rules in Grafana's provisioning format, with one more rule per contact. */
export function grafanaRules(
  file: AlertingFile,
  groups: readonly RuleGroup[],
  escalation: readonly EscalationReceiver[],
): { readonly apiVersion: 1; readonly groups: readonly ProvisionedGroup[] } {
  const group = (name: string, interval: string, rules: ProvisionedGroup['rules']): ProvisionedGroup => ({
    orgId: file.organization,
    name,
    folder: file.folder,
    interval,
    rules,
  })
  const ruleGroups = groups.map(({ name, interval, rules }) =>
    group(
      name,
      roundUpToTicks(interval),
      rules.map((rule) => grafanaRule(file, rule, ruleTitle(rule), notificationSettings(rule))),
    ),
  )
  if (escalation.length > 0)
    ruleGroups.push(
      group(
        'sti-calls',
        '10s',
        escalation.map((call) => escalationRule(file, groups, call)),
      ),
    )
  return { apiVersion: 1, groups: ruleGroups }
}

interface RuleTitle {
  readonly uid: string
  readonly title: string
}

/** Grafana shows the plugin with the rule, and the plugin's links among the actions of the rule. */
const ORIGIN_LABELS = { __grafana_origin: 'plugin/sti-rollout-app' }

function grafanaRule(
  file: AlertingFile,
  rule: AlertingRule,
  { uid, title }: RuleTitle,
  notification: unknown,
): ProvisionedRule {
  const { measured, operator, number } = splitCondition(rule.alert, rule.expr)
  const { dashboard, panel, ...annotations } = rule.annotations
  const panelId = DASHBOARD_PANELS.findIndex((title) => title === panel) + 1
  if (panelId === 0) throw new Error(`${rule.alert}: the dashboard has no panel ${panel}`)
  return {
    uid,
    title,
    condition: 'B',
    data: [
      {
        refId: 'A',
        relativeTimeRange: { from: 600, to: 0 },
        datasourceUid: file.prometheus,
        model: { refId: 'A', expr: measured, instant: true, range: false, editorMode: 'code' },
      },
      {
        refId: 'B',
        relativeTimeRange: { from: 0, to: 0 },
        datasourceUid: '__expr__',
        model: {
          refId: 'B',
          type: 'math',
          expression: `$A ${operator} ${number}`,
          datasource: { type: '__expr__', uid: '__expr__' },
        },
      },
    ],
    ...errorStates(rule),
    for: rule.for ?? '0s',
    annotations: {
      ...Object.fromEntries(Object.entries(annotations).map(([name, text]) => [name, toGrafanaTemplate(text)])),
      __dashboardUid__: dashboard,
      __panelId__: String(panelId),
    },
    labels: { ...rule.labels, ...ORIGIN_LABELS },
    ...(notification === null ? {} : { notification_settings: notification }),
  }
}

/**
 * The state of a rule without data, or if Prometheus cannot be queried. Neither causes a rollback. Rules that page people
 * keep paging, and StiAgentDown fires, since no agent can be seen.
 */
function errorStates({ alert }: AlertingRule): Record<string, string> {
  if (alert === 'StiAgentDown') return { noDataState: 'Alerting', execErrState: 'Alerting' }
  if (alert === 'StiIncidentOpen' || alert === ESCALATION_ALERT) return { noDataState: 'OK', execErrState: 'KeepLast' }
  return { noDataState: 'OK', execErrState: 'OK' }
}

/** Converts a Prometheus template to Grafana's syntax. Without data there is no value. */
function toGrafanaTemplate(text: string): string {
  return text
    .replaceAll('{{ $externalLabels.grafana }}/', '{{ externalURL }}')
    .replaceAll(/\{\{ \$value( \| \w+)? \}\}/g, '{{ with $$values.A }}{{ .Value$1 }}{{ end }}')
}

/** Grafana uses the title as `alertname`, and titles are unique in a folder. */
function ruleTitle({ alert, labels }: AlertingRule): RuleTitle {
  const level = labels?.['level']
  const uid = alert.replace(/(?!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase()
  return level === undefined ? { uid, title: alert } : { uid: `${uid}-${level}`, title: `${alert} ${level}` }
}

/** Sends the rule's alerts directly to the agents; null: the user's notification policies apply. */
function notificationSettings({ alert, labels }: AlertingRule): unknown {
  if (labels?.['sti_receiver'] !== 'agents') return null
  const urgent = labels['sti_rollback'] !== undefined || alert === 'StiWatchdog'
  return {
    receiver: AGENTS_RECEIVER,
    group_by: ['grafana_folder', 'alertname', 'environment', 'rollout', 'change', 'agent'],
    group_wait: '0s',
    group_interval: '10s',
    repeat_interval: urgent ? '1m' : '5m',
  }
}

/** The rule of one level, restricted to one rollout and sent directly to its contact. */
function escalationRule(file: AlertingFile, groups: readonly RuleGroup[], target: EscalationReceiver): ProvisionedRule {
  const { environment, rollout, level, role, receiver, id } = target
  const rule = groups
    .flatMap(({ rules }) => rules)
    .find(({ alert, labels }) => alert === ESCALATION_ALERT && labels?.['level'] === String(level))
  if (rule === undefined) throw new Error(`no rule ${ESCALATION_ALERT} has level ${level}`)
  const rolloutMatchers = `environment=${JSON.stringify(environment)},rollout=${JSON.stringify(rollout)}`
  const expr = rule.expr.replace('sti_incident_open_seconds{', `sti_incident_open_seconds{${rolloutMatchers},`)
  if (expr === rule.expr) throw new Error(`${ESCALATION_ALERT} does not query sti_incident_open_seconds{…}`)
  return grafanaRule(
    file,
    { ...rule, expr, labels: { ...rule.labels, role } },
    { uid: `sti-call-${id}`, title: `${ESCALATION_ALERT} ${level}: ${rollout} in ${environment}` },
    {
      receiver,
      group_by: ['grafana_folder', 'alertname'],
      group_wait: '0s',
      group_interval: '1m',
      repeat_interval: '15m',
    },
  )
}

function roundUpToTicks(interval: string): string {
  const [, number, unit] = /^(\d+)([sm])$/.exec(interval) ?? []
  if (number === undefined) throw new Error(`the interval ${interval} must be written like 10s or 1m`)
  const seconds = Number(number) * (unit === 'm' ? 60 : 1)
  return `${Math.ceil(seconds / SCHEDULER_TICK_SECONDS) * SCHEDULER_TICK_SECONDS}s`
}
