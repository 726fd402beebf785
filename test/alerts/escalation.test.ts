import { setTimeout as sleep } from 'node:timers/promises'
import { createServer } from 'node:http'
import { expect, onTestFinished } from 'vitest'
import { connect } from '../../agent/src/database/connect.ts'
import { createMetrics } from '../../agent/src/metrics/metrics.ts'
import type { OpenIncident } from '../../agent/src/metrics/metricsSource.ts'
import { rolloutReadings, createMetricsSource } from '../../agent/src/metrics/testing/metricsSource.ts'
import { planEscalation } from '../../agent/src/provisioning/escalation.ts'
import { AlertingSchema } from '../../agent/src/provisioning/alertingFile.ts'
import { provision } from '../../agent/src/provisioning/provision.ts'
import { readPrometheusRules } from '../../agent/src/provisioning/prometheusRules.ts'
import { hasPrometheus, startPrometheus } from '../../agent/src/signals/testing/prometheusServer.ts'
import { createSignals } from '../../agent/src/signals/signals.ts'
import { freePort } from '../support/server.ts'
import { hasGrafana, startGrafana } from './grafanaServer.ts'
import { startMailServer, type Mail } from './mailServer.ts'
import { waitForValue } from '../support/waitFor.ts'
import { realTimeTest as test } from '../support/realTime.ts'

/** Seconds after which each level is paged; `STI_ESCALATION=minutes` uses the plan's 5, 10, 15, and 30 minutes. */
const ESCALATION_LEVEL_SECONDS = process.env['STI_ESCALATION'] === 'minutes' ? [300, 600, 900, 1_800] : [2, 8, 14, 34]
/** One scrape, one interval of the rule, and the time that Grafana needs to send. */
const LATENESS_LIMIT_SECONDS = 1 + 10 + 5
const ROLES = ['Technical Lead', 'DevOps Engineer', 'Database Administrator', 'System Architect']
const contacts = ROLES.map((role, index) => ({ role, email: `level-${index + 1}@example.com` }))

test.runIf(hasGrafana && hasPrometheus)(
  'Grafana notifies one contact after the other until someone acknowledges, and the on-call engineer if an agent is down',
  async () => {
    let opened: number | null = null
    const agent = await startMetrics(() =>
      opened === null
        ? []
        : [
            {
              rollout: 'vehicles',
              severity: 'critical',
              openedAt: opened,
              escalationSeconds: ESCALATION_LEVEL_SECONDS,
            },
          ],
    )
    const { grafana, mails } = await startAlerting(agent)
    await waitForValue(
      () => readRuleStates(grafana),
      (rules) => rules.length > 25 && rules.every(({ health }) => health === 'ok' || health === 'nodata'),
      60,
    )
    opened = Date.now()
    const called = (to: string): Mail | undefined => mails.find((mail) => mail.to === to)
    const begun = opened
    for (const [index, level] of ESCALATION_LEVEL_SECONDS.slice(0, 3).entries()) {
      const mail = await waitForValue(
        async () => called(contacts[index]!.email),
        (found) => found !== undefined,
        level + LATENESS_LIMIT_SECONDS,
      )
      const after = (mail!.at - begun) / 1000
      expect(after).toBeGreaterThanOrEqual(level)
      expect(after).toBeLessThan(level + LATENESS_LIMIT_SECONDS)
    }
    opened = null
    const down = await waitForValue(
      async () => mails.find(({ subject }) => subject.includes('StiAgentDown')),
      (found) => found !== undefined,
      60,
    )
    expect(down!.to).toBe('pager@example.com')
    await sleep(Math.max(0, begun + ESCALATION_LEVEL_SECONDS[3]! * 1000 - Date.now()))
    expect(called(contacts[3]!.email)).toBeUndefined()
    expect(mails.filter(({ subject }) => /NoData|DatasourceError/.test(subject))).toEqual([])
    expect(mails.filter(({ to }) => to === 'pager@example.com').map(({ subject }) => subject)).toEqual(
      expect.arrayContaining([expect.stringContaining('StiIncidentOpen')]),
    )
  },
  (ESCALATION_LEVEL_SECONDS[3]! + 120) * 1000,
)

interface RuleState {
  readonly name: string
  readonly health: string
}

async function readRuleStates(grafana: { get<T>(path: string): Promise<T> }): Promise<RuleState[]> {
  const { data } = await grafana.get<{ data: { groups: { rules: RuleState[] }[] } }>(
    '/api/prometheus/grafana/api/v1/rules',
  )
  return data.groups.flatMap(({ rules }) => rules)
}

/** An agent's /metrics with these unacknowledged incidents. */
async function startMetrics(incidents: () => readonly OpenIncident[]): Promise<number> {
  const database = connect('postgres://nobody@127.0.0.1:1/none', 'a')
  const signals = createSignals({ database, agent: 'a', rollouts: [], prometheusUrl: null, now: Date.now })
  const source = createMetricsSource(() => [rolloutReadings({ incidents: incidents() })])
  const metrics = createMetrics({ environment: 'production', source, signals })
  const server = createServer((_, response) => void metrics.text().then((text) => response.end(text)))
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.close()
    server.closeAllConnections()
    await database.close()
  })
  return port
}

/** Prometheus, Grafana with the output of sti provisioning, and the mail server through which it pages people. */
async function startAlerting(agentPort: number) {
  const scraped = [
    { targets: [`127.0.0.1:${agentPort}`], labels: { environment: 'production' } },
    { targets: [`127.0.0.1:${await freePort()}`], labels: { environment: 'staging' } },
  ]
  const prometheus = await startPrometheus(
    {
      'prometheus.yml': JSON.stringify({
        global: { scrape_interval: '1s' },
        scrape_configs: [{ job_name: 'sti-agent', honor_labels: true, static_configs: scraped }],
      }),
    },
    'prometheus.yml',
  )
  const file = AlertingSchema.parse({
    agents: [{ name: 'production', url: 'http://127.0.0.1:1', secretVariable: 'STI_TEST_SECRET' }],
  })
  const rollouts = [{ environment: 'production', rollout: 'vehicles', contacts }]
  expect(planEscalation(rollouts, { contactPoints: {}, emailContactPoints: true }).unreachable).toEqual([])
  const { grafana: files } = provision(file, await readPrometheusRules(), rollouts)
  const mail = await startMailServer()
  const source = { name: 'Prometheus', uid: 'sti-prometheus', type: 'prometheus', access: 'proxy', url: prometheus.url }
  const pager = {
    apiVersion: 1,
    contactPoints: [
      {
        name: 'pager',
        receivers: [{ uid: 'pager', type: 'email', settings: { addresses: 'pager@example.com' } }],
      },
    ],
    policies: [{ receiver: 'pager', group_by: ['alertname'], group_wait: '0s', group_interval: '1s' }],
  }
  const grafana = await startGrafana(
    {
      'datasources/prometheus.yaml': JSON.stringify({ apiVersion: 1, datasources: [source] }),
      'alerting/theirs.yaml': JSON.stringify(pager),
      ...Object.fromEntries(files.map(({ name, text }) => [`alerting/${name}`, text])),
    },
    {
      STI_TEST_SECRET: 'a-secret-of-the-test-0001',
      GF_SMTP_ENABLED: 'true',
      GF_SMTP_HOST: mail.address,
      GF_SMTP_STARTTLS_POLICY: 'NoStartTLS',
    },
  )
  return { grafana, mails: mail.mails }
}
