import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test as plainTest } from 'vitest'
import { parse } from 'yaml'
import { DASHBOARD_PANELS } from '../../agent/src/provisioning/dashboardPanels.ts'
import { freePort } from '../support/server.ts'
import { withSti } from '../support/stiCommand.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'
import { isOk, waitFor } from '../support/waitFor.ts'
import { realTimeTest as test } from '../support/realTime.ts'

interface ProvisionedRule {
  readonly title: string
  readonly uid: string
  readonly noDataState: string
  readonly execErrState: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly notification_settings?: { readonly receiver: string; readonly group_by: readonly string[] }
  readonly data: readonly { readonly model: { readonly expr?: string } }[]
}
interface ContactPoint {
  readonly name: string
  readonly receivers: readonly { readonly type: string; readonly settings: Record<string, unknown> }[]
}

const AGENTS = `agents:
  - { name: production-1, url: 'http://agent-1:8090', secretFile: /run/secrets/one, alertmanagerTokenFile: /run/secrets/a }
  - { name: production-2, url: 'http://agent-2:8090', secretVariable: STI_TWO, alertmanagerTokenFile: /run/secrets/b }
rollouts: { production: files }
contactPoints: { DevOps Engineer: PagerDuty }
alertmanagerBase: own.yml
`
/** What the user has: a contact point of Grafana in the same folder, and a configuration of Alertmanager. */
const OWN_CONTACT_POINT = `apiVersion: 1
contactPoints: [{ name: PagerDuty, receivers: [{ uid: pd, type: webhook, settings: { url: 'http://127.0.0.1:1' } }] }]
`
const OWN_ALERTMANAGER = `global: { smtp_smarthost: 'mail:25', smtp_from: a@example.com }
route: { receiver: PagerDuty, routes: [{ matchers: ['team="db"'], receiver: PagerDuty }] }
receivers: [{ name: PagerDuty, webhook_configs: [{ url: 'http://127.0.0.1:1' }] }]
`
const CONTACTS = `contacts:
  - { role: Technical Lead, name: Ann, email: ann@example.com, escalateAfter: 5m }
  - { role: DevOps Engineer, name: Bob, phone: '1', escalateAfter: 10m }
  - { role: Database Administrator, name: Eve, phone: '2', escalateAfter: 15m }
  - { role: System Architect, name: Kim, email: kim@example.com, escalateAfter: 30m }
  - { role: Director, name: Max, email: max@example.com, escalateAfter: 60m }
`

/** What `sti provisioning` writes for two agents and five contacts. */
async function writeProvisioning(agents = AGENTS) {
  return await withSti(async (sti, folder) => {
    await mkdir(join(folder, 'files'))
    await writeFile(join(folder, 'files/vehicles.yaml'), VEHICLES_FILE + CONTACTS)
    await writeFile(join(folder, 'alerting.yaml'), agents)
    await writeFile(join(folder, 'own.yml'), OWN_ALERTMANAGER)
    await mkdir(join(folder, 'out'))
    await writeFile(join(folder, 'out/own.yaml'), OWN_CONTACT_POINT)
    const files = ['--output', 'out', '--alertmanager', 'am.yml']
    const answer = await sti(null, 'provisioning', 'alerting.yaml', ...files, '--allow-unreachable')
    const read = async (name: string) => readFile(join(folder, name), 'utf8')
    const texts = await Promise.all([read('out/sti-rules.yaml'), read('out/sti-contact-points.yaml'), read('am.yml')])
    const [rules, points, alertmanager] = texts.map((text) => parse(text) as unknown)
    return {
      answer,
      texts,
      rules: (rules as { groups: { interval: string; rules: ProvisionedRule[] }[] }).groups.flatMap(
        (group) => group.rules,
      ),
      intervals: (rules as { groups: { interval: string }[] }).groups.map(({ interval }) => interval),
      points: (points as { contactPoints: ContactPoint[] }).contactPoints,
      alertmanager: alertmanager as {
        route: { routes: { receiver: string }[] }
        receivers: { name: string; webhook_configs?: unknown[] }[]
      },
    }
  })
}

test('prints the written files and the contacts that cannot be paged', async () => {
  const { answer } = await writeProvisioning()
  expect(answer).toMatchObject({ code: 0, out: expect.stringContaining('Written: out/sti-rules.yaml') as string })
  expect(answer.err.split('\n').filter(Boolean)).toEqual([
    expect.stringMatching(/vehicles in production: the Database Administrator has no email address.* level 3/),
    expect.stringMatching(/the Director comes after level 4/),
  ])
})

test('each contact has a rule of its level and rollout; a role can use a custom contact point', async () => {
  const { rules, points } = await writeProvisioning()
  const calls = rules.filter(({ uid }) => uid.startsWith('sti-call-'))
  expect(calls.map(({ title, notification_settings: to }) => [title, to?.receiver])).toEqual([
    ['StiIncidentEscalation 1: vehicles in production', 'STI vehicles in production, level 1: Technical Lead'],
    ['StiIncidentEscalation 2: vehicles in production', 'PagerDuty'],
    ['StiIncidentEscalation 4: vehicles in production', 'STI vehicles in production, level 4: System Architect'],
  ])
  expect(calls[0]!.data[0]!.model.expr).toContain('environment="production",rollout="vehicles",severity!="info"')
  expect(points.map(({ name }) => name)).not.toContain('PagerDuty')
  const addresses = points.flatMap(({ receivers }) => receivers.map(({ settings }) => settings['addresses']))
  expect(addresses.filter((address) => address !== undefined)).toEqual(['ann@example.com', 'kim@example.com'])
})

test('without contact points by e-mail no file has an address or a name of a person, and who is not paged is named', async () => {
  const { answer, points, texts, rules } = await writeProvisioning(`${AGENTS}emailContactPoints: false\n`)
  expect(texts.join('\n')).not.toMatch(/(ann|kim|max)@|Ann|Kim/)
  expect(points.map(({ name }) => name)).toEqual(['STI agents'])
  const receivers = rules.flatMap(({ notification_settings: to }) => to?.receiver ?? [])
  expect(receivers.filter((receiver) => receiver !== 'STI agents')).toEqual(['PagerDuty'])
  expect(answer.err).toMatch(
    /the Technical Lead has no contact point, so nobody is paged at level 1. Add one to contactPoints/,
  )
})

test('one contact point has a signed webhook per agent; no file contains a secret', async () => {
  const { points, alertmanager, texts } = await writeProvisioning()
  expect(points[0]).toMatchObject({
    name: 'STI agents',
    receivers: [
      {
        type: 'webhook',
        settings: {
          url: 'http://agent-1:8090/v1/webhooks/grafana',
          hmacConfig: {
            secret: '$__file{/run/secrets/one}',
            header: 'X-Sti-Signature',
            timestampHeader: 'X-Sti-Timestamp',
          },
        },
      },
      { settings: { url: 'http://agent-2:8090/v1/webhooks/grafana', hmacConfig: { secret: '${STI_TWO}' } } },
    ],
  })
  expect(alertmanager.receivers.find(({ name }) => name === 'sti-agents')?.webhook_configs).toEqual([
    {
      url: 'http://agent-1:8090/v1/webhooks/alertmanager',
      http_config: { authorization: { type: 'Bearer', credentials_file: '/run/secrets/a' } },
    },
    expect.objectContaining({ url: 'http://agent-2:8090/v1/webhooks/alertmanager' }),
  ])
  expect(alertmanager.receivers[0]).toMatchObject({ name: 'PagerDuty' })
  expect(alertmanager.route.routes.map(({ receiver }) => receiver)).toEqual([
    'sti-agents',
    'STI vehicles in production, level 1: Technical Lead',
    'PagerDuty',
    'STI vehicles in production, level 4: System Architect',
    'PagerDuty',
  ])
  expect(texts.join()).not.toMatch(/phone|\bAnn\b|\bEve\b/)
})

const hasAmtool = spawnSync('amtool', ['--version']).status === 0
if (!hasAmtool) console.log('the check with Alertmanager is skipped: apt-get install prometheus-alertmanager')

test.runIf(hasAmtool)(
  'Alertmanager accepts the example and what is written, and --check compares what it runs',
  async () => {
    const example = new URL('../../alerts/example/alertmanager.yml', import.meta.url).pathname
    expect(checkConfig(example)).toEqual([0, expect.stringContaining('SUCCESS')])
    await withSti(async (sti, folder) => {
      await mkdir(join(folder, 'files'))
      await writeFile(join(folder, 'files/vehicles.yaml'), VEHICLES_FILE + CONTACTS)
      await writeFile(join(folder, 'alerting.yaml'), AGENTS)
      await writeFile(join(folder, 'own.yml'), OWN_ALERTMANAGER)
      const provisioning = (...args: string[]) =>
        sti(null, 'provisioning', 'alerting.yaml', '--allow-unreachable', ...args)
      expect(await provisioning('--alertmanager', 'am.yml')).toMatchObject({ code: 0 })
      expect(checkConfig(join(folder, 'am.yml'))).toEqual([0, expect.stringContaining('SUCCESS')])
      for (const [file, code, sentence] of [
        ['own.yml', 1, 'Alertmanager has no receiver sti-agents.'],
        ['am.yml', 0, 'every alert that Prometheus sends would arrive. Without --prometheus'],
      ] as const) {
        const alertmanager = await startAlertmanager(join(folder, file), folder)
        try {
          const answer = await provisioning('--check', '--alertmanager-url', alertmanager.url)
          expect([file, answer.code, answer.out + answer.err]).toEqual([file, code, expect.stringContaining(sentence)])
        } finally {
          await alertmanager.stop()
        }
      }
      const gone = await provisioning('--check', '--alertmanager-url', 'http://127.0.0.1:1')
      expect(gone).toMatchObject({ code: 4, err: expect.stringContaining('cannot be reached (') as string })
    })
  },
)

function checkConfig(file: string): [number | null, string] {
  const { status, stdout, stderr } = spawnSync('amtool', ['check-config', file])
  return [status, stdout.toString() + stderr.toString()]
}

async function startAlertmanager(file: string, folder: string): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await freePort()
  const options = [`--config.file=${file}`, `--storage.path=${folder}`, `--web.listen-address=127.0.0.1:${port}`]
  const child = spawn('prometheus-alertmanager', [...options, '--cluster.listen-address='], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  const url = `http://127.0.0.1:${port}`
  await waitFor('Alertmanager is ready', () => isOk(`${url}/-/ready`), { ignoreErrors: true })
  return {
    url,
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

interface Undeliverable {
  readonly name: string
  /** The alerting file, and the user's own files by name. */
  readonly alerting: string
  readonly own?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  readonly reason: RegExp
}

const ONE_AGENT = `agents: [{ name: a, url: 'http://a:1', secretFile: ./secret, alertmanagerTokenFile: t }]\n`
const TO_ALERTMANAGER = ['--alertmanager', 'am.yml', '--allow-unreachable']
const UNDELIVERABLE: readonly Undeliverable[] = [
  {
    name: 'a contact is left out',
    alerting: `${ONE_AGENT}rollouts: { p: files }\n`,
    reason: /Director comes after level 4/,
  },
  {
    name: 'an agent has no secret',
    alerting: `agents: [{ name: a, url: 'http://a:1', alertmanagerTokenFile: t }]`,
    reason: /set secretFile or secretVariable for a/,
  },
  {
    name: 'a secret is a number',
    alerting: ONE_AGENT,
    own: { secret: '123456789012345678901234' },
    reason: /has no letter/,
  },
  { name: 'a secret has a $', alerting: ONE_AGENT, own: { secret: 'abc$def' }, reason: /has a \$/ },
  {
    name: 'nothing shows a contact point',
    alerting: `${ONE_AGENT}rollouts: { p: files }\ncontactPoints: { Technical Lead: Ops }\n`,
    args: ['--output', 'out', '--allow-unreachable'],
    reason: /nothing shows that Grafana has the contact point Ops.*--grafana/,
  },
  {
    name: 'no configuration of Alertmanager',
    alerting: ONE_AGENT,
    args: TO_ALERTMANAGER,
    reason: /Set alertmanagerBase/,
  },
  {
    name: 'an agent without a token of Alertmanager',
    alerting: `agents: [{ name: a, url: 'http://a:1', secretVariable: S }]\nalertmanagerBase: own.yml\n`,
    own: { 'own.yml': OWN_ALERTMANAGER },
    args: TO_ALERTMANAGER,
    reason: /agent a has no alertmanagerTokenFile/,
  },
  {
    name: 'a variable as a URL',
    alerting: `agents: [{ name: a, url: '\${URL}', alertmanagerTokenFile: t }]\nalertmanagerBase: own.yml\n`,
    own: { 'own.yml': OWN_ALERTMANAGER },
    args: TO_ALERTMANAGER,
    reason: /reads no variables/,
  },
  {
    name: 'receivers without a way',
    alerting: `${ONE_AGENT}alertmanagerBase: own.yml\n`,
    own: { 'own.yml': 'route: { receiver: x }\nreceivers: [{ name: x }]\n' },
    args: TO_ALERTMANAGER,
    reason: /no receiver of alertmanagerBase has a way/,
  },
  {
    name: 'a receiver that does not exist',
    alerting: `${ONE_AGENT}alertmanagerBase: own.yml\nrollouts: { p: files }\ncontactPoints: { Technical Lead: Ops }\n`,
    own: { 'own.yml': OWN_ALERTMANAGER },
    args: TO_ALERTMANAGER,
    reason: /to Ops, which is no receiver/,
  },
  {
    name: 'email without a mail server',
    alerting: `${ONE_AGENT}alertmanagerBase: own.yml\nrollouts: { p: files }\n`,
    own: { 'own.yml': OWN_ALERTMANAGER.replace(/^global.*\n/, '') },
    args: TO_ALERTMANAGER,
    reason: /no global smtp_smarthost and smtp_from/,
  },
]

plainTest.each(UNDELIVERABLE)('nothing is written if $name', async ({ alerting, own = {}, args, reason }) => {
  await withSti(async (sti, folder) => {
    await mkdir(join(folder, 'files'))
    await writeFile(join(folder, 'files/vehicles.yaml'), VEHICLES_FILE + CONTACTS)
    await writeFile(join(folder, 'alerting.yaml'), alerting.replace('./secret', join(folder, 'secret')))
    for (const [name, text] of Object.entries(own)) await writeFile(join(folder, name), text)
    const before = await readdir(folder)
    const answer = await sti(null, 'provisioning', 'alerting.yaml', ...(args ?? ['--output', 'out']))
    expect(answer).toMatchObject({ code: 1, out: '', err: expect.stringMatching(reason) as string })
    expect(await readdir(folder)).toEqual(before)
  })
})

test('every rule defines its no-data and error states and its panel, and none bypasses the notification policies by mistake', async () => {
  const { rules, intervals, texts } = await writeProvisioning()
  expect(new Set(rules.map(({ title }) => title)).size).toBe(rules.length)
  expect(rules.every(({ uid }) => /^[a-z0-9-]{1,40}$/.test(uid))).toBe(true)
  expect(intervals.every((interval) => Number(interval.replace('s', '')) % 10 === 0)).toBe(true)
  for (const { title, labels, annotations, noDataState, execErrState, notification_settings: to } of rules) {
    const states = [noDataState, execErrState]
    if (title === 'StiAgentDown') expect(states).toEqual(['Alerting', 'Alerting'])
    else if (title.startsWith('StiIncident')) expect(states).toEqual(['OK', 'KeepLast'])
    else expect(states).toEqual(['OK', 'OK'])
    if (labels['sti_receiver'] === 'agents') expect(to).toMatchObject({ receiver: 'STI agents' })
    else if (!title.includes(': ')) expect(to).toBeUndefined()
    // Grafana requires these two in every list.
    if (to) expect(to.group_by).toEqual(expect.arrayContaining(['grafana_folder', 'alertname']))
    expect(annotations['__dashboardUid__']).toBe('sti-rollout-monitoring')
    expect(DASHBOARD_PANELS[Number(annotations['__panelId__']) - 1]).toBeDefined()
    expect(annotations['rollout_url']).toMatch(/^\{\{ externalURL \}\}a\/sti-rollout-app\//)
    // This is Prometheus syntax, which Grafana would show literally.
    expect(Object.values(annotations).join()).not.toMatch(/\$externalLabels|\$value\b/)
  }
  expect(texts.join()).not.toMatch(/^policies:/m)
})

test('the panels match the dashboard', async () => {
  const url = new URL('../../plugin/src/dashboards/sti-rollout-monitoring.json', import.meta.url)
  const { panels } = JSON.parse(await readFile(url, 'utf8')) as { panels: { id: number; title: string }[] }
  for (const [index, title] of DASHBOARD_PANELS.entries())
    expect(panels.find(({ id }) => id === index + 1)).toMatchObject({ title })
})

test('faults are reported with their location before anything is written', async () => {
  await withSti(async (sti, folder) => {
    await writeFile(join(folder, 'none.yaml'), 'agents: []\n')
    expect(await sti(null, 'provisioning', 'none.yaml')).toMatchObject({ code: 2 })
    const broken = await sti(null, 'provisioning', 'none.yaml', '--output', 'out')
    expect(broken).toMatchObject({
      code: 1,
      err: expect.stringMatching(/none\.yaml:1:\d+ .*at least one agent/) as string,
    })
    await writeFile(
      join(folder, 'both.yaml'),
      'agents: [{ name: a, url: ftp://x, secretFile: a, secretVariable: B }]\n',
    )
    const { err } = await sti(null, 'provisioning', 'both.yaml', '--output', 'out')
    expect(err).toMatch(/is not a URL/)
    const agent = 'agents: [{ name: a, url: http://x, alertmanagerTokenFile: a }]\nalertmanagerBase: own.yml\n'
    await writeFile(join(folder, 'am.yaml'), agent)
    await writeFile(join(folder, 'own.yml'), OWN_ALERTMANAGER)
    const lacking = await sti(null, 'provisioning', 'am.yaml', '--output', 'out')
    expect(lacking).toMatchObject({
      code: 1,
      err: expect.stringMatching(/set secretFile or secretVariable for a\./) as string,
    })
    expect((await sti(null, 'provisioning', 'am.yaml', '--alertmanager', 'am.yml')).code).toBe(0)
  })
})
