import { setTimeout as sleep } from 'node:timers/promises'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { parse } from 'yaml'
import { connect } from '../../agent/src/database/connect.ts'
import { createMetrics } from '../../agent/src/metrics/metrics.ts'
import type { OpenIncident } from '../../agent/src/metrics/metricsSource.ts'
import { rolloutReadings, createMetricsSource } from '../../agent/src/metrics/testing/metricsSource.ts'
import { planEscalation } from '../../agent/src/provisioning/escalation.ts'
import { AlertingSchema } from '../../agent/src/provisioning/alertingFile.ts'
import { checkGrafana } from '../../agent/src/provisioning/runningServers.ts'
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
const ESCALATION_LEVEL_SECONDS = process.env['STI_ESCALATION'] === 'minutes' ? [300, 600, 900, 1_800] : [2, 6, 10, 30]
/** One scrape, one interval of the rule, and the time that Grafana needs to send. */
const LATENESS_LIMIT_SECONDS = 1 + 10 + 5
const ROLES = ['Technical Lead', 'DevOps Engineer', 'Database Administrator', 'System Architect']
const receiverName = (index: number): string => `STI vehicles in production, level ${index + 1}: ${ROLES[index]}`
const contacts = ROLES.map((role, index) => ({ role, email: `level-${index + 1}@example.com` }))
/** The last two levels use contact points of one's own: a webhook, and the example for an on-call service. */
const contactPoints = { 'Database Administrator': 'Webhook', 'System Architect': 'PagerDuty' }

test.runIf(hasGrafana && hasPrometheus)(
  'Grafana notifies all four contacts in order, nobody once someone acknowledges, and the on-call engineer if an agent is down',
  async () => {
    let opened: number | null = null
    const agent = await startMetrics(() =>
      opened === null
        ? // Information that nobody has seen for two hours.
          [{ rollout: 'vehicles', severity: 'info', openedAt: Date.now() - 7_200_000, escalationSeconds: [] }]
        : [
            {
              rollout: 'vehicles',
              severity: 'critical',
              openedAt: opened,
              escalationSeconds: ESCALATION_LEVEL_SECONDS,
            },
          ],
    )
    const { grafana, mails, calls, file, ruleUids } = await startAlerting(agent)
    await waitForValue(
      () => readRuleStates(grafana),
      (rules) => rules.length > 25 && rules.every(({ health }) => health === 'ok' || health === 'nodata'),
      60,
    )
    const aboutIncidents = (): Mail[] => mails.filter(({ subject }) => subject.includes('StiIncident'))
    expect(aboutIncidents()).toEqual([])
    const url = grafana.url.replace('//', '//admin:admin@')
    const found = await checkGrafana(url, null, file, ruleUids)
    expect(found.faults).toEqual([])
    expect([...found.contactPoints]).toEqual(
      expect.arrayContaining(['STI agents', 'pager', 'Webhook', receiverName(0), receiverName(1)]),
    )
    expect((await checkGrafana(url, null, { ...file, prometheus: 'other' }, [...ruleUids, 'sti-new'])).faults).toEqual([
      expect.stringContaining('no data source with the uid other'),
      expect.stringContaining(`has not loaded 1 of ${ruleUids.length + 1} rules`),
    ])
    await expect(checkGrafana(grafana.url, 'no-such-token', file, [])).rejects.toThrow('STI_GRAFANA_TOKEN')
    opened = Date.now()
    const begun = opened
    const pages = (): readonly (number | undefined)[] => [
      mails.find(({ to }) => to === contacts[0]!.email)?.at,
      mails.find(({ to }) => to === contacts[1]!.email)?.at,
      calls.find(({ path }) => path === '/webhook')?.at,
      calls.find(({ path }) => path === '/pagerduty')?.at,
    ]
    for (const [index, level] of ESCALATION_LEVEL_SECONDS.slice(0, 3).entries()) {
      const at = await waitForValue(
        async () => pages()[index],
        (found) => found !== undefined,
        level + LATENESS_LIMIT_SECONDS,
      )
      const after = (at! - begun) / 1000
      expect(after, ROLES[index]).toBeGreaterThanOrEqual(level)
      expect(after, ROLES[index]).toBeLessThan(level + LATENESS_LIMIT_SECONDS)
    }
    opened = null
    const down = await waitForValue(
      async () => mails.find(({ subject }) => subject.includes('StiAgentDown')),
      (found) => found !== undefined,
      60,
    )
    expect(down!.to).toBe('pager@example.com')
    await sleep(Math.max(0, begun + ESCALATION_LEVEL_SECONDS[3]! * 1000 - Date.now()))
    expect(pages()[3], 'acknowledged before level 4').toBeUndefined()
    // The next incident reaches level 4, too.
    opened = Date.now() - ESCALATION_LEVEL_SECONDS[3]! * 1000
    await waitForValue(
      async () => pages()[3],
      (found) => found !== undefined,
      LATENESS_LIMIT_SECONDS,
    )
    const page = JSON.parse(calls.find(({ path }) => path === '/pagerduty')!.body) as Record<string, unknown>
    expect(page).toMatchObject({ routing_key: 'a-key-of-the-test', event_action: 'trigger' })
    expect(page['payload']).toMatchObject({ severity: 'critical' })
    // Whoever has a contact point of their own gets no mail.
    expect(mails.filter(({ to }) => to === contacts[2]!.email || to === contacts[3]!.email)).toEqual([])
    expect(mails.filter(({ subject }) => /NoData|DatasourceError/.test(subject))).toEqual([])
    expect(mails.filter(({ to }) => to === 'pager@example.com').map(({ subject }) => subject)).toEqual(
      expect.arrayContaining([expect.stringContaining('StiIncidentOpen')]),
    )
  },
  (ESCALATION_LEVEL_SECONDS[3]! + 150) * 1000,
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
    contactPoints,
  })
  const rollouts = [{ environment: 'production', rollout: 'vehicles', contacts }]
  expect(planEscalation(rollouts, file).unreachable).toEqual([])
  const { grafana: files, ruleUids } = provision(file, await readPrometheusRules(), rollouts)
  const mail = await startMailServer()
  const { url, calls } = await startCallSink()
  const pagerDuty = parse(await readFile(new URL('../../alerts/example/pagerduty.yaml', import.meta.url), 'utf8')) as {
    contactPoints: [{ receivers: [{ settings: Record<string, string> }] }]
  }
  pagerDuty.contactPoints[0].receivers[0].settings['url'] = `${url}/pagerduty`
  const source = { name: 'Prometheus', uid: 'sti-prometheus', type: 'prometheus', access: 'proxy', url: prometheus.url }
  const pager = {
    apiVersion: 1,
    contactPoints: [
      {
        name: 'pager',
        receivers: [{ uid: 'pager', type: 'email', settings: { addresses: 'pager@example.com' } }],
      },
      {
        name: 'Webhook',
        receivers: [{ uid: 'webhook', type: 'webhook', settings: { url: `${url}/webhook`, httpMethod: 'POST' } }],
      },
    ],
    policies: [{ receiver: 'pager', group_by: ['alertname'], group_wait: '0s', group_interval: '1s' }],
  }
  const grafana = await startGrafana(
    {
      'datasources/prometheus.yaml': JSON.stringify({ apiVersion: 1, datasources: [source] }),
      'alerting/theirs.yaml': JSON.stringify(pager),
      'alerting/pagerduty.yaml': JSON.stringify(pagerDuty),
      ...Object.fromEntries(files.map(({ name, text }) => [`alerting/${name}`, text])),
    },
    {
      STI_TEST_SECRET: 'a-secret-of-the-test-0001',
      PAGERDUTY_INTEGRATION_KEY: 'a-key-of-the-test',
      GF_SMTP_ENABLED: 'true',
      GF_SMTP_HOST: mail.address,
      GF_SMTP_STARTTLS_POLICY: 'NoStartTLS',
    },
  )
  return { grafana, mails: mail.mails, calls, file, ruleUids }
}

interface Call {
  readonly path: string
  readonly body: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** The HTTP side of the contact points: what Grafana sends to a webhook and to an on-call service. */
async function startCallSink(): Promise<{ url: string; calls: Call[] }> {
  const calls: Call[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      calls.push({ path: request.url ?? '', body, at: Date.now() })
      response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"success"}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls }
}
