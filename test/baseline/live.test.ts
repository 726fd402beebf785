import { setTimeout as sleep } from 'node:timers/promises'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect } from 'vitest'
import { runProgram } from '../../agent/src/cli/program.ts'
import type {
  Baseline,
  BaselineContent,
  BaselineSummary,
  CheckResult,
  Operation,
  OperationEvent,
  Problem,
  Validation,
} from '../../agent/src/contract/index.ts'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { startHistogramApplication } from '../../agent/src/signals/testing/histogramApplication.ts'
import { waitForValue } from '../support/waitFor.ts'
import { realTimeTest as test } from '../support/realTime.ts'

let folder = ''
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sti-baseline-'))))
afterAll(() => rm(folder, { recursive: true, force: true }))

async function sti(url: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const texts = Promise.all([text(stdout), text(stderr)])
  const env = { STI_URL: url, STI_TOKEN: TOKENS.ann }
  const code = await runProgram(args, { stdin: new PassThrough(), stdout, stderr, env, cwd: folder, home: folder })
  stdout.end()
  stderr.end()
  const [out, err] = await texts
  return { code, out, err }
}

test('a baseline is sampled across two agents, exported, imported, and compared: an unchanged application passes, a slower one fails', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 500)
    const application = await startHistogramApplication()
    const asking = setInterval(
      () => void sql`select count(*), pg_sleep(0.004) from vehicles`.catch(() => undefined),
      50,
    )
    try {
      const file = VEHICLES_FILE + application.file
      const id = await withAgent(url, file, async (agent) => {
        const { id } = await agent.request('baseline', { durationSeconds: 60, live: true, release: 'v1' })
        await waitForProgress(agent, id, ({ progress }) => (progress?.processedRows ?? 0) >= 12)
        return id
      })
      await withAgent(url, file, (agent) => expectVerdicts(agent, id, sql, application), { name: 'agent-2' })
    } finally {
      clearInterval(asking)
      await application.stop()
    }
  })
}, 400_000)

type TestDatabaseSql = Parameters<Parameters<typeof withDatabase>[0]>[0]['sql']

async function expectVerdicts(
  agent: TestAgent,
  id: number,
  sql: TestDatabaseSql,
  application: Awaited<ReturnType<typeof startHistogramApplication>>,
): Promise<void> {
  const taken = await agent.waitForEnd(id)
  expect(taken).toMatchObject({ state: 'succeeded', agent: 'agent-2' })
  const baselines = '/v1/rollouts/vehicles/baselines'
  const kept = await agent.get<Baseline>(`${baselines}/newest`)
  expect(kept).toMatchObject({ operationId: id, source: 'live', release: 'v1', warnings: [], unusable: [] })
  const signalOf = (name: string) => kept.content.signals.find(({ signal }) => signal === name)!
  expect(signalOf('api-latency-average').mean).toBeCloseTo(0.02, 3)
  expect(signalOf('api-latency-p95').mean).toBeGreaterThan(0.027)
  expect(signalOf('api-request-rate').mean).toBeGreaterThan(150)
  expect(signalOf('api-error-ratio').mean).toBe(0)
  expect(signalOf('api-latency-average').values).toHaveLength(12)
  expect(signalOf('host-memory').mean).toBeGreaterThan(0)
  const query = kept.content.queries.find(({ text: queryText }) => /pg_sleep\(\$1\) from vehicles/.test(queryText))!
  expect(query.meanSeconds).toBeGreaterThan(0.004)
  expect(query.values.filter((value) => value !== null).length).toBeGreaterThanOrEqual(8)
  expect(kept.content.queries.filter(({ text: queryText }) => /sti\.|\/\* sti/.test(queryText))).toEqual([])
  expect(await sql`select * from sti.baseline_sampling`).toEqual([])
  const { events } = await agent.get<{ events: OperationEvent[] }>(`/v1/rollouts/vehicles/events`)
  expect(events.filter(({ kind }) => kind === 'baseline').map(({ message }) => message)).toEqual([
    'Baseline of v1 (live)',
  ])

  // The imported file is the exported one, so it is recognized.
  expect((await sti(agent.url, 'baseline', '--show', '--output', 'v1.json')).out).toMatch(/Written to v1\.json/)
  const content = JSON.parse(await readFile(join(folder, 'v1.json'), 'utf8')) as BaselineContent
  const again = await agent.post<BaselineSummary>(baselines, { content })
  expect(again).toMatchObject({ status: 200, body: { id: kept.id, digest: kept.digest } })
  const editor = { authorization: `Bearer ${TOKENS.bob}` }
  const foreign = { ...content, environment: 'production', release: 'v0' }
  expect((await agent.post<Problem>(baselines, { content: foreign }, editor)).status).toBe(403)
  expect((await agent.post<Problem>(baselines, { content: foreign, oneRunOnly: true }, editor)).status).toBe(403)
  expect((await agent.post(baselines, { content, oneRunOnly: true }, editor)).status).toBe(200)
  await writeFile(join(folder, 'v0.json'), JSON.stringify(foreign))
  const imported = await sti(agent.url, 'baseline', '--input', 'v0.json')
  expect(imported).toMatchObject({ code: 0, err: expect.stringContaining('measured in production') as string })
  expect((await agent.get<Baseline>(`${baselines}/newest`)).id).toBe(kept.id)
  expect((await sti(agent.url, 'baseline', '--list')).out).toMatch(/v0 .*production.*it was measured in production/)
  const aged = { ...content, startedAt: '2020-01-01T00:00:00Z', endedAt: '2020-01-02T00:00:00Z' }
  expect((await agent.post<BaselineSummary>(baselines, { content: aged })).body.unusable[0]).toMatch(/days old/)
  const orders = await agent.post<Problem>(baselines, { content: { ...content, rollout: 'orders' } })
  expect(orders).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('belongs to the rollout orders') as string },
  })
  const twice = { ...content, signals: [...content.signals, content.signals[0]!] }
  expect((await agent.post<Problem>(baselines, { content: twice })).body.reasons?.[0]).toMatch(
    /contains a signal twice/,
  )
  const past = await sti(agent.url, 'baseline', '--compare', String((again.body.id ?? 0) + 1))
  expect(past).toMatchObject({ code: 4, out: expect.stringContaining('The baseline cannot be used') as string })

  await agent.run('expand')
  const as = await validateUntilDecided(() => readPerformanceLayer(agent))
  expect(as.map(({ verdict, check }) => `${check} ${verdict}`)).toEqual([
    'api-error-ratio pass',
    'api-latency-average pass',
    'api-latency-p95 pass',
    'api-throughput pass',
    expect.stringMatching(/^database-query-time (pass|inconclusive|fail)$/),
    expect.stringMatching(/^database-query-time-each (pass|inconclusive|fail)$/),
  ])
  expect(as[1]!.detail).toMatch(/× the baseline \(98% confidence: .*; baseline 1 for release v1$/)
  const same = await sti(agent.url, 'baseline', '--compare')
  expect(same.out).toMatch(/pass +api-latency-p95/)
  const metrics = await (await fetch(`${agent.url}/metrics`)).text()
  expect(metrics).toMatch(
    /sti_signal_baseline\{environment="staging",rollout="vehicles",signal="api-latency-p95"\} 0\.02/,
  )
  expect(metrics).toMatch(/sti_signal_limit\{environment="staging",rollout="vehicles",signal="host-cpu"\} 0\.8/)
  expect(metrics).toMatch(/sti_signal_baseline_ratio\{[^}]*signal="api-latency-average"\} (0\.9|1\.0)/)

  // The flag has changed, so earlier samples do not count.
  application.slowDown(1.3)
  application.failPercent(1)
  await agent.run('flag', { enabled: false })
  const changed = await validateUntilDecided(() => readPerformanceLayer(agent, 'v1.json'))
  expect(changed.slice(0, 4).map(({ verdict, check }) => `${check} ${verdict}`)).toEqual([
    'api-error-ratio fail',
    'api-latency-average fail',
    'api-latency-p95 fail',
    'api-throughput pass',
  ])
  expect(await sti(agent.url, 'baseline', '--compare')).toMatchObject({ code: 1 })
  const now = await (await fetch(`${agent.url}/metrics`)).text()
  const limitRatio = (signal: string): number =>
    Number(new RegExp(`sti_signal_limit_ratio\\{[^}]*signal="${signal}"\\} (\\S+)`).exec(now)?.[1])
  expect(limitRatio('api-latency-average')).toBeGreaterThan(1.1)
  expect(limitRatio('api-error-ratio')).toBeGreaterThan(2)
  // The limit is 0.9 of the baseline.
  expect(limitRatio('api-request-rate')).toBeCloseTo(0.9, 1)
}

/** Like a person, repeats an inconclusive comparison once there are more readings. */
async function validateUntilDecided(validate: () => Promise<CheckResult[]>): Promise<CheckResult[]> {
  for (let again = 0; ; again++) {
    const checks = await validate()
    if (again === 5 || !checks.slice(0, 4).some(({ verdict }) => verdict === 'inconclusive')) return checks
    await sleep(10_000)
  }
}

/** The checks of the performance layer, by name. */
async function readPerformanceLayer(agent: TestAgent, file?: string): Promise<CheckResult[]> {
  if (file === undefined) await agent.run('validation', { layers: ['performance'] })
  else await sti(agent.url, 'validate', '--full-validation', '--performance-baseline', file)
  const { operations } = await agent.get<{ operations: Operation[] }>('/v1/operations')
  const newest = operations.find(({ kind }) => kind === 'validation')!
  const validation = await agent.get<Validation>(
    `/v1/rollouts/vehicles/validations/${Number(newest.result?.['validation'])}`,
  )
  return validation.checks.filter(({ layer }) => layer === 'performance')
}

async function waitForProgress(agent: TestAgent, id: number, holds: (operation: Operation) => boolean): Promise<void> {
  await waitForValue(() => agent.get<Operation>(`/v1/operations/${id}`), holds, 240)
}
