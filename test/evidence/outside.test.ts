import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import type { Readiness, ReadinessItem } from '../../agent/src/contract/index.ts'
import { fetchAlertRules } from '../../agent/src/readiness/alertRules.ts'
import { fetchGrafanaStatus } from '../../agent/src/readiness/grafanaStatus.ts'
import { fetchUptime } from '../../agent/src/readiness/uptime.ts'
import { hasPrometheus, startPrometheus } from '../../agent/src/signals/testing/prometheusServer.ts'
import { findGrafana } from '../../demo/start/grafana.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { withSti } from '../support/stiCommand.ts'
import { freePort } from '../support/server.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { realTimeTest as test } from '../support/realTime.ts'

const grafana = await findGrafana(freePort)
if (grafana === null) console.log('readiness items from Grafana are not tested: install Grafana, or set GRAFANA_HOME')

test.skipIf(!hasPrometheus)(
  'readiness items from a real Prometheus: the agent, its rules and history',
  async () => {
    await withDatabase(async ({ url, sql }) => {
      await createVehicles(sql, 50)
      const port = await freePort()
      const rules = `groups: [{ name: ours, rules: [{ alert: StiAgentDown, expr: 'up{job="sti-agent"} == 0' }] }]`
      const jobs = [
        `{ job_name: sti-agent, honor_labels: true, static_configs: [{ targets: ["127.0.0.1:${port}"], labels: { environment: staging } }] }`,
        '{ job_name: grafana, static_configs: [{ targets: ["127.0.0.1:1"] }] }',
      ]
      const config = `global: { scrape_interval: 1s, evaluation_interval: 1s }\nrule_files: [ours.yml]\nscrape_configs: [${jobs.join(', ')}]`
      const prometheus = await startPrometheus({ 'prometheus.yml': config, 'ours.yml': rules }, 'prometheus.yml')
      await withAgent(
        url,
        VEHICLES_FILE,
        async (agent) => {
          await agent.run('expand')
          const wait = { timeout: 60_000, interval: 500 }
          const uptime = () => fetchUptime(prometheus.url, 'staging', 20)
          await expect.poll(uptime, wait).toMatchObject([
            { job: 'grafana', ratio: 0 },
            { job: 'sti-agent', ratio: expect.closeTo(1, 0.5) as number },
          ])
          await expect(fetchUptime(prometheus.url, 'production', 20)).rejects.toThrow(/has not scraped job sti-agent/)
          const item = async (name: string): Promise<ReadinessItem> =>
            (await agent.get<Readiness>('/v1/rollouts/vehicles/readiness')).items.find(
              (candidate) => candidate.item === name,
            )!
          // It is queried every half minute.
          await expect.poll(async () => (await item('alerts')).state, wait).toBe('ready')
          await expect.poll(async () => (await item('metrics')).state, wait).toBe('ready')
          await expect.poll(async () => (await item('dashboard-uptime')).sentence, wait).toMatch(/grafana 0%/)
          expect((await item('dashboard-uptime')).state).toBe('not-ready')
        },
        { config: { port, prometheusUrl: prometheus.url } },
      )
    })
  },
  180_000,
)

test.skipIf(grafana === null)(
  'readiness items from a real Grafana: its health and the dashboard',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sti-grafana-'))
    const provisioning = join(folder, 'provisioning')
    const dashboards = join(folder, 'dashboards')
    await Promise.all([mkdir(join(provisioning, 'dashboards'), { recursive: true }), mkdir(dashboards)])
    await writeFile(
      join(provisioning, 'dashboards/sti.yaml'),
      `apiVersion: 1\nproviders: [{ name: sti, type: file, options: { path: ${dashboards} } }]\n`,
    )
    await mkdir(join(provisioning, 'alerting'))
    await writeFile(
      join(provisioning, 'alerting/sti.yaml'),
      `apiVersion: 1
groups:
  - { name: ours, folder: ours, interval: 10s, rules: [{ uid: ours, title: StiTest, condition: A, for: 0s, data: [
      { refId: A, datasourceUid: __expr__, model: { refId: A, type: math, expression: '0 > 1' } }] }] }
`,
    )
    const root = new URL('../../', import.meta.url).pathname
    const dashboard = JSON.parse(
      await readFile(join(root, 'plugin/src/dashboards/sti-rollout-monitoring.json'), 'utf8'),
    ) as {
      panels: { title: string }[]
    }
    const panels = dashboard.panels.filter(({ title }) => title !== 'Rollback Readiness')
    await writeFile(join(dashboards, 'one.json'), JSON.stringify({ ...dashboard, panels }))
    const { home, file, port, url } = grafana!
    const child = spawn(file, ['server', `--homepath=${home}`], {
      stdio: 'ignore',
      env: {
        PATH: process.env['PATH'],
        GF_SERVER_HTTP_PORT: String(port),
        GF_PATHS_DATA: join(folder, 'data'),
        GF_PATHS_LOGS: join(folder, 'logs'),
        GF_PATHS_PROVISIONING: provisioning,
        GF_SECURITY_ADMIN_PASSWORD: 'of-a-test',
        GF_ANALYTICS_REPORTING_ENABLED: 'false',
        GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
        GF_PLUGINS_PREINSTALL_DISABLED: 'true',
      },
    })
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await gone
      await rm(folder, { recursive: true, force: true })
    })
    await expect
      .poll(() => fetchGrafanaStatus(url, null, 1).then(() => 'healthy', String), { timeout: 120_000 })
      .toBe('healthy')
    expect((await fetchGrafanaStatus(url, null, 1)).missing).toMatchObject({
      unknown: expect.stringMatching(/no token .*STI_GRAFANA_TOKEN_FILE/) as string,
    })
    // The file appears while the agent runs.
    const output = join(folder, 'token')
    expect((await fetchGrafanaStatus(url, { file: output }, 1)).missing).toMatchObject({
      unknown: expect.stringMatching(/cannot be read \(ENOENT\)/) as string,
    })
    expect((await fetchGrafanaStatus(url, 'nonsense', 1)).missing).toMatchObject({
      unknown: expect.stringMatching(/rejects/) as string,
    })
    await expect(fetchAlertRules(null, { url, token: null })).rejects.toThrow(/Grafana returned HTTP 401/)
    const token = { file: output }
    await withSti(async (sti) => {
      const password = join(folder, 'password')
      const create = () => sti(null, 'grafana-token', '--grafana', url, '--output', output, '--password-file', password)
      await writeFile(password, 'of-another-test')
      expect(await create()).toMatchObject({ code: 1, err: expect.stringMatching(/HTTP 401/) as string })
      await writeFile(password, 'of-a-test\n')
      expect(await create()).toMatchObject({ code: 0, out: expect.stringMatching(/role Viewer/) as string })
      expect((await stat(output)).mode & 0o777).toBe(0o600)
      expect((await create()).out).toMatch(/Nothing was changed/)
      const written = await readFile(output, 'utf8')
      expect((await create()).out + (await create()).err).not.toContain(written.trim())
      await writeFile(output, 'glsa_removed')
      expect((await create()).out).toMatch(/role Viewer/)
      expect(await readFile(output, 'utf8')).not.toBe(written)
    })
    expect(await fetchAlertRules(null, { url, token })).toEqual([{ place: 'Grafana', loaded: 1, broken: [] }])
    const missing = async () => (await fetchGrafanaStatus(url, token, 1)).missing
    await expect.poll(missing, { timeout: 30_000 }).toEqual({ value: ['Rollback Readiness'], at: 1 })
    await writeFile(join(dashboards, 'one.json'), JSON.stringify({ ...dashboard, version: 2 }))
    await expect.poll(missing, { timeout: 60_000, interval: 1_000 }).toEqual({ value: [], at: 1 })
  },
  300_000,
)
