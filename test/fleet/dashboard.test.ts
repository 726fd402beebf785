import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { hasPrometheus, startPrometheus } from '../../agent/src/signals/testing/prometheusServer.ts'
import { buildFleetDashboard } from '../../plugin/dashboard/dashboard.ts'
import { withMetricsApplication } from '../support/applicationMetrics.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { QUIET_LOG, runToFailure } from '../support/operations.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'
import { waitForValue } from '../support/waitFor.ts'

interface Panel {
  readonly title: string
  readonly targets: readonly Target[]
}

interface Target {
  readonly refId: string
  readonly expr: string
  readonly legendFormat?: string
  readonly range?: boolean
}

interface Series {
  readonly labels: Readonly<Record<string, string>>
  /** The last value. */
  readonly value: number
}

interface ScrapeTarget {
  readonly url: string
  /** Null: it is known by its instance. */
  readonly member: string | null
}

const { panels } = buildFleetDashboard() as { panels: readonly Panel[] }
const ROWS = 200
/** More than a panel has room for. */
const COPIES = Array.from({ length: 12 }, (_, index) => `copy-${index + 1}`)
const MAX_LINES = 8
/** Rows of a table have several queries; every other query is a line or a value of its own. */
const TABLES = ['Feature Flag Status', 'Rollback Readiness']

/** Values that are only there if something is as it should not be, or in a rollout that is further. */
const CONDITIONAL = [
  ...[
    'STI Progress Tracker: Stale',
    'STI Progress Tracker: Complete',
    'STI Progress Tracker: Left',
    'STI Progress Tracker: Waiting',
  ],
  ...['API Performance Monitor: Silent', 'API Performance Monitor: Stale'],
  ...['Database Health Checker: Silent', 'Database Health Checker: Stale'],
  // The others had no statements.
  ...['Database Health Checker: Query2', 'Database Health Checker: Query3'],
  ...['System Resource Monitor: Silent', 'System Resource Monitor: Stale'],
  ...['Error Rate Tracker: Stale', 'Error Rate Tracker: NoTypes', 'Error Rate Tracker: NothingRecovered'],
  ...['Data Integrity Validator: Stale', 'Data Integrity Validator: Overdue'],
  // No application evaluates the flag.
  ...['Feature Flag Status: Last', 'Feature Flag Status: P95'],
]

test.runIf(hasPrometheus)(
  'every query of the fleet’s panels, with real agents, and no more lines than there is room for',
  async () => {
    await withFleet(async ({ healthy, failing, untouched, other, url, scrape }) => {
      const targets = [...COPIES.map((member) => ({ url: healthy.url, member })), { url: untouched.url, member: 'new' }]
      const stranger = { url: other.url, member: 'stranger' }
      scrape([...targets, { url: failing.url, member: null }, stranger])
      const failingName = new URL(failing.url).host
      const read = (panel: string, refId: string) => readTarget(url, findTarget(panel, refId))
      const valueOf = async (panel: string, refId: string) => (await read(panel, refId))[0]?.value
      await waitForValue(
        () => valueOf('Members', 'Members'),
        (count) => count === 14,
        30,
      )
      await waitForValue(
        () => valueOf('Database Health Checker', 'Query1'),
        (seconds) => seconds !== undefined,
        30,
      )
      // A rate needs two scrapes.
      await waitForValue(
        () => valueOf('System Resource Monitor', 'Network'),
        (rate) => rate !== undefined,
        30,
      )

      const empty: string[] = []
      for (const { title, targets } of panels) {
        const lines: Series[] = []
        for (const target of targets) {
          const series = await readTarget(url, target)
          if (series.length === 0) empty.push(`${title}: ${target.refId}`)
          expect(series.length, `${title}: ${target.refId}`).toBeLessThanOrEqual(MAX_LINES)
          if (!TABLES.includes(title)) lines.push(...series)
        }
        expect(lines.length, title).toBeLessThanOrEqual(MAX_LINES + 2)
      }
      expect(empty).toEqual(CONDITIONAL)
      // An agent of another rollout in the same environment is no member, however bad its database and its host are.
      for (const target of panels.flatMap((panel) => panel.targets)) {
        const everyMember = { ...target, expr: target.expr.replaceAll(/(topk|bottomk)\(\d+/g, '$1(100') }
        const names = (await readTarget(url, everyMember)).map(({ labels }) => labels['name'])
        expect(names, target.expr).not.toContain('stranger')
      }

      expect(await valueOf('Members', 'On')).toBe(12)
      expect(await valueOf('Members', 'Off')).toBe(2)
      expect(await valueOf('Members', 'Silent')).toBe(0)
      // 12 members have every row, and one was stopped by its error budget.
      const processed = (await valueOf('STI Progress Tracker', 'Processed'))!
      const ofFailing = processed - 12 * ROWS
      expect(ofFailing).toBeGreaterThanOrEqual(0)
      expect(ofFailing).toBeLessThan(ROWS)
      expect(await valueOf('STI Progress Tracker', 'Total')).toBe(13 * ROWS)
      expect(await valueOf('STI Progress Tracker', 'Partial')).toBeCloseTo(processed / (13 * ROWS), 2)
      expect(await read('STI Progress Tracker', 'Worst')).toEqual([
        { labels: { name: failingName }, value: ofFailing / ROWS },
      ])
      expect(await read('Error Rate Tracker', 'Worst')).toMatchObject([{ labels: { name: failingName }, value: 1 }])
      expect(await valueOf('STI Progress Tracker', 'Missing')).toBe(1)
      expect(await valueOf('Data Integrity Validator', 'Missing')).toBe(1)
      // A loaded machine can make the others fail a check of the system, too.
      expect((await read('Data Integrity Validator', 'Worst'))[0]).toMatchObject({ labels: { name: failingName } })
      expect(await valueOf('Data Integrity Validator', 'Passed')).toBeGreaterThan(12)
      expect(await read('Feature Flag Status', 'Up')).toHaveLength(MAX_LINES)
      expect(await read('Feature Flag Status', 'Stage')).toContainEqual({
        labels: { name: failingName, stage: 'expanded' },
        value: 1,
      })
      expect(await read('Rollback Readiness', 'Ready')).toHaveLength(6)
      const ranked = await Promise.all(['P951', 'P952', 'P953'].map((refId) => read('API Performance Monitor', refId)))
      expect(new Set(ranked.flat().map(({ labels }) => labels['name'])).size).toBe(3)

      // One member disappears, and the agent of another has never answered.
      scrape([...targets, { url: 'http://127.0.0.1:9', member: 'unreachable' }, stranger])
      await waitForValue(
        () => valueOf('Members', 'Silent'),
        (count) => count === 2,
        30,
      )
      expect(await valueOf('Members', 'Members')).toBe(15)
      expect(await valueOf('STI Progress Tracker', 'Stale')).toBe(2)
      expect(await valueOf('API Performance Monitor', 'Stale')).toBe(2)
      expect(await valueOf('STI Progress Tracker', 'Total')).toBe(12 * ROWS)
      const down = (await read('Feature Flag Status', 'Up')).filter(({ value }) => value === 0)
      expect(down.map(({ labels }) => labels['name']).sort()).toEqual([failingName, 'unreachable'])
      for (const { value } of await read('Rollback Readiness', 'Ready')) expect(value).toBeGreaterThanOrEqual(2)
      for (const { labels } of await read('Rollback Readiness', 'Worst')) expect(labels['name']).toBeTruthy()
    })
  },
)

interface Fleet {
  /** Its flag is on. */
  readonly healthy: TestAgent
  /** One of its rows failed, and so did its validation. */
  readonly failing: TestAgent
  /** Nothing was done yet. */
  readonly untouched: TestAgent
  /** It has another rollout. */
  readonly other: TestAgent
  /** The Prometheus that scrapes them. */
  readonly url: string
  scrape(targets: readonly ScrapeTarget[]): void
}

async function withFleet(use: (fleet: Fleet) => Promise<void>): Promise<void> {
  let scraped: readonly ScrapeTarget[] = []
  const discovery = createServer((_, answer) => {
    answer.setHeader('content-type', 'application/json')
    answer.end(
      JSON.stringify(
        scraped.map(({ url, member }) => ({
          targets: [new URL(url).host],
          labels: { environment: 'staging', ...(member === null ? {} : { member }) },
        })),
      ),
    )
  })
  await new Promise<void>((resolve) => discovery.listen(0, '127.0.0.1', resolve))
  const { port } = discovery.address() as AddressInfo
  const config = {
    global: { scrape_interval: '2s', scrape_timeout: '2s' },
    scrape_configs: [
      {
        job_name: 'sti-agent',
        honor_labels: true,
        http_sd_configs: [{ url: `http://127.0.0.1:${port}/`, refresh_interval: '1s' }],
      },
    ],
  }
  try {
    const { url } = await startPrometheus({ 'prometheus.yml': JSON.stringify(config) }, 'prometheus.yml')
    await withMetricsApplication(async (application) => {
      const file = `${VEHICLES_FILE}host: local\n${application.file}`
      const scrape = (targets: readonly ScrapeTarget[]) => void (scraped = targets)
      await withMember(file, async (healthy) => {
        for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await healthy.run(kind)
        await healthy.run('flag', { enabled: true })
        await withMember(file, async (failing, sql) => {
          await sql`alter table public.vehicles add constraint not_seven check (id <> 7) not valid`
          await failing.run('expand')
          await runToFailure(failing, 'backfill')
          await failing.waitForEnd((await failing.request('validation')).id)
          // The query time is unknown while no statement ends.
          const statements = setInterval(() => void sql`select count(*) from public.vehicles`.catch(() => null), 500)
          const otherFile = VEHICLES_FILE.replace(/^rollout: .*/m, 'rollout: others')
          await withMember(file, (untouched) =>
            withMember(`${otherFile}host: local\n`, (other) =>
              use({ healthy, failing, untouched, other, url, scrape }),
            ),
          ).finally(() => clearInterval(statements))
        })
      })
    })
  } finally {
    discovery.close()
    discovery.closeAllConnections()
  }
}

function withMember(file: string, use: (agent: TestAgent, sql: postgres.Sql) => Promise<void>): Promise<void> {
  return withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, ROWS)
    await withAgent(url, file, (agent) => use(agent, sql), QUIET_LOG)
  })
}

function findTarget(title: string, refId: string): Target {
  const target = panels.find((panel) => panel.title === title)?.targets.find((candidate) => candidate.refId === refId)
  if (target === undefined) throw new Error(`no query ${refId} in ${title}`)
  return target
}

/** The series of a query, as Grafana sends it: over the last 30 s, or now. */
async function readTarget(prometheusUrl: string, { expr, range = false }: Target): Promise<Series[]> {
  const now = Date.now() / 1000
  const query = Object.entries({
    $__range: '30s',
    $__rate_interval: '20s',
    $rollout: 'vehicles',
    $environment: '.*',
  }).reduce((text, [name, value]) => text.replaceAll(name, value), expr)
  const parameters = range ? { start: now - 30, end: now, step: 2 } : { time: now }
  const answer = await fetch(`${prometheusUrl}/api/v1/${range ? 'query_range' : 'query'}`, {
    method: 'POST',
    body: new URLSearchParams({
      query,
      ...Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)])),
    }),
  })
  const { data, error } = (await answer.json()) as {
    data?: { result: { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] }[] }
    error?: string
  }
  if (data === undefined) throw new Error(`${query}: ${error}`)
  return data.result.map(({ metric, value, values }) => ({
    labels: metric,
    value: Number((value ?? values!.at(-1)!)[1]),
  }))
}
