import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Incident } from '../../agent/src/contract/index.ts'
import { RECORD_FAILPOINT_NAMES, type FailpointName } from '../../agent/src/kind/failpoints.ts'
import { agentClient, withAgent, type TestAgentClient } from '../support/agent.ts'
import { agentEnvironment } from '../support/agentProcess.ts'
import { withDatabase } from '../support/database.ts'
import { CRASHING_AGENT_PROGRAM } from '../support/programs.ts'
import { realTimeTest as test } from '../support/realTime.ts'
import { freePort } from '../support/server.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'
import { isOk, waitFor } from '../support/waitFor.ts'
import type { CrashPlan } from '../crash/crashingAgent.ts'
import {
  ALERTMANAGER_TOKEN,
  errorsHighAlert,
  forceFlagOn,
  grafanaMessage,
  sendWebhook,
  WEBHOOK_CONFIG,
  WEBHOOK_SECRET,
  type WebhookAlert,
} from './webhookMessages.ts'

const QUIET = { config: WEBHOOK_CONFIG, log: (): void => undefined }

/** What a rollback of this change has left in the database. */
async function readRecord(sql: postgres.Sql, change: string) {
  const [row] = await sql<
    { incidents: number; operation: string | null; events: number; alerts: number; rows: number }[]
  >`
    select (select count(*)::int from sti.incident where change = ${change} and rolled_back_at is not null) as incidents,
      (select rollback_operation_id from sti.incident where change = ${change} and rolled_back_at is not null) as operation,
      (select count(*)::int from sti.operation_event where kind = 'decision' and after->>'act' = 'roll-back'
        and after->>'change' = ${change}) as events,
      (select count(*)::int from sti.alert where change = ${change} and decision = 'roll-back') as alerts,
      (select count(*)::int from sti.automatic_rollback where change = ${change}) as rows`
  return row!
}

async function expectRecord(sql: postgres.Sql, change: string): Promise<void> {
  await waitFor(`${change} is recorded`, async () => (await readRecord(sql, change)).rows === 1, { seconds: 40 })
  await waitFor('the incident names the operation', async () => (await readRecord(sql, change)).operation, {
    seconds: 20,
  })
  expect(await readRecord(sql, change)).toMatchObject({ incidents: 1, events: 1, alerts: 1, rows: 1 })
}

async function hasMetric(agent: { readonly url: string }, name: string, value: number): Promise<boolean> {
  const text = await (await fetch(`${agent.url}/metrics`)).text()
  return new RegExp(`^${name}\\{.*\\} ${value}$`, 'm').test(text)
}

/** Before that the agent opens an incident instead: it does not know whether automatic rollback is paused. */
const waitUntilArmed = (agent: { readonly url: string }): Promise<true> =>
  waitFor('automatic rollback is armed', () => hasMetric(agent, 'sti_automatic_rollback_armed', 1), { seconds: 30 })

async function rollBackByAlert(agent: TestAgentClient, change: string, labels = {}): Promise<void> {
  const alert = { ...errorsHighAlert(change, labels), fingerprint: change }
  expect((await sendWebhook(agent, grafanaMessage([alert]))).status).toBe(202)
}

/** Each of these makes a write fail for a while: the statement that does it, and the one that ends it. */
const FAULTS: Record<string, readonly [begin: string, end: string]> = {
  ...Object.fromEntries(
    ['incident', 'alert', 'automatic_rollback', 'operation_event', 'operation', 'flag'].map((table) => [
      `a lock on ${table}`,
      [`begin; lock table sti.${table} in access exclusive mode`, 'rollback'] as const,
    ]),
  ),
  ...Object.fromEntries(
    ['40P01', '40001', '55P03', '57014', '53300', '53100', 'XX000', '42501', 'P0001', '23514', '22P05'].map((code) => [
      `SQLSTATE ${code}`,
      [
        ['incident', 'alert', 'automatic_rollback']
          .map(
            (table) =>
              `create trigger fault before insert or update on sti.${table} execute function public.fault('${code}')`,
          )
          .join(';'),
        ['incident', 'alert', 'automatic_rollback'].map((table) => `drop trigger fault on sti.${table}`).join(';'),
      ] as const,
    ]),
  ),
}

test('a rollback leaves its incident, event and alert in the end, whatever PostgreSQL answers meanwhile', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await sql.unsafe(`create function public.fault() returns trigger language plpgsql as $$
      begin raise exception 'not now' using errcode = tg_argv[0]; end $$`)
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        const locker = postgres(url, { max: 1, onnotice: () => undefined })
        await waitUntilArmed(agent)
        for (const [name, [begin, end]] of Object.entries(FAULTS)) {
          const change = await forceFlagOn(agent)
          await locker.unsafe(begin)
          const recorded = async (): Promise<void> => {
            await rollBackByAlert(agent, change)
            await waitFor('the flag is off', () => hasMetric(agent, 'sti_flag_enabled', 0))
            await sleep(1_200)
            await locker.unsafe(end)
            await expectRecord(sql, change)
          }
          await recorded().catch((error: unknown) => {
            throw new Error(`with ${name}`, { cause: error })
          })
        }
        await locker.end()
        // Each change has an incident of its own, open and not acknowledged.
        const { incidents } = await agent.get<{ incidents: Incident[] }>('/v1/incidents?open=true')
        expect(incidents.map(({ state }) => state)).toEqual(Object.keys(FAULTS).map(() => 'open'))
      },
      QUIET,
    )
  })
})

/** Runs an agent in a process that dies at this point, or never. */
async function withCrashingAgent(
  url: string,
  folder: string,
  points: readonly FailpointName[],
  use: (agent: TestAgentClient, gone: Promise<void>) => Promise<void>,
): Promise<void> {
  const port = await freePort()
  const child = fork(CRASHING_AGENT_PROGRAM, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  try {
    await new Promise((resolve) => child.once('message', resolve))
    const environment = { ...agentEnvironment(url, folder, port, 'agent-1'), STI_WEBHOOK_SECRET: WEBHOOK_SECRET }
    const plan: CrashPlan = { environment, points, arrival: 1, delayMs: 0, crashFile: join(folder, 'crash') }
    child.send(plan)
    const agent = agentClient(`http://127.0.0.1:${port}`, 'vehicles')
    await waitFor('the agent is ready', () => isOk(`${agent.url}/readyz`), { seconds: 60 })
    await use(agent, gone)
  } finally {
    child.kill('SIGKILL')
    await gone
  }
}

test(
  'an agent that is killed at any point between a rollback and its record owes the rest, and the next one writes it',
  { timeout: 600_000 },
  async () => {
    const points: readonly FailpointName[] = ['flag.off-served', 'flag.off-written', ...RECORD_FAILPOINT_NAMES]
    await withDatabase(async ({ url, sql }) => {
      await createVehicles(sql, 10)
      const folder = await mkdtemp(join(tmpdir(), 'sti-records-'))
      await writeFile(join(folder, 'rollout.yaml'), VEHICLES_FILE)
      try {
        for (const point of points) {
          let change = ''
          await withCrashingAgent(url, folder, [point], async (agent, gone) => {
            await waitUntilArmed(agent)
            change = await forceFlagOn(agent)
            await rollBackByAlert(agent, change)
            await gone
            expect(await readFile(join(folder, 'crash'), 'utf8')).toMatch(new RegExp(`${point}$`))
          })
          await withCrashingAgent(url, folder, [], async (agent) => {
            await expectRecord(sql, change).catch((error: unknown) => {
              throw new Error(`killed at ${point}`, { cause: error })
            })
            expect((await agent.rollout()).flag.enabled).toBe(false)
          })
        }
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    })
  },
)

test('a rollback of a later change pages again, also if the earlier incident was acknowledged, and each card is its own', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        await waitUntilArmed(agent)
        const first = await forceFlagOn(agent)
        await rollBackByAlert(agent, first)
        await expectRecord(sql, first)
        const [incident] = (await agent.rollout()).incidents
        expect((await agent.post(`/v1/incidents/${incident!.id}/acknowledge`, {})).status).toBe(200)
        const second = await forceFlagOn(agent)
        await rollBackByAlert(agent, second)
        await expectRecord(sql, second)
        // Late and made-up changes join without a page and change nothing that a card says.
        for (const change of [first, second, 'flag-99', 'flag-98'])
          await rollBackByAlert(agent, change, { pod: change })
        await waitFor('they were seen', async () => {
          const [row] = await sql<{ times: number }[]>`select sum(occurrences)::int as times from sti.incident`
          return row!.times >= 4
        })
        const { incidents } = await agent.rollout()
        expect(incidents).toHaveLength(2)
        expect(incidents.find(({ change }) => change === second)).toMatchObject({
          state: 'open',
          late: false,
          rollback: { scope: 'flag' },
          reasons: [expect.stringContaining(second), expect.anything(), expect.stringContaining(second)],
        })
        expect(incidents.find(({ change }) => change === first)).toMatchObject({
          state: 'acknowledged',
          reasons: [expect.stringContaining(first), expect.anything(), expect.stringContaining(first)],
        })
        await expect
          .poll(async () => (await fetch(`${agent.url}/metrics`)).text(), { timeout: 10_000 })
          .toMatch(/sti_incident_open_seconds\{[^}]*severity="critical"/)
      },
      QUIET,
    )
  })
})

test('no alert takes another one with it, and a flood keeps no rollback out', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        await waitUntilArmed(agent)
        const change = await forceFlagOn(agent)
        const noise = (count: number, prefix: string) =>
          Array.from({ length: count }, (_, index) => ({
            labels: {
              alertname: 'StiApiErrorsHigh',
              sti_rollback: 'flag',
              environment: 'staging',
              rollout: 'vehicles',
              change: 'flag-0',
            },
            fingerprint: `${prefix}${index}`,
          }))
        const unnamed: WebhookAlert[] = [
          { labels: { alertname: 'StiQueryTimeHigh', environment: 'staging', rollout: 'vehicles', pod: 'a\0b\ud800' } },
          { labels: { alertname: randomBytes(499).toString('hex'), environment: 'staging' } },
          { labels: { alertname: 'StiHostUsageHigh' }, startsAt: 'yesterday' },
          { labels: { alertname: 'StiHostUsageHigh', environment: 'staging', rollout: 'vehicles' } },
        ]
        const poisoned = unnamed.map((alert, index) => ({ ...alert, fingerprint: `poisoned-${index}` }))
        const sent = await sendWebhook(agent, grafanaMessage(poisoned))
        expect(sent.status).toBe(202)
        expect(JSON.parse(sent.text)).toMatchObject({
          received: 3,
          faults: [expect.stringContaining('alerts.2.startsAt')],
        })
        await waitFor('the others are stored', async () => {
          const rows = await sql<
            { fingerprint: string }[]
          >`select fingerprint from sti.alert where fingerprint like 'poisoned-%' order by 1`
          return rows.map(({ fingerprint }) => fingerprint).join() === 'poisoned-0,poisoned-1,poisoned-3'
        })
        // All in one moment, so that the agent has no time to work the queue off.
        const bearer = { authorization: `Bearer ${ALERTMANAGER_TOKEN}`, 'content-type': 'application/json' }
        const message = (alerts: readonly object[]): string =>
          JSON.stringify({
            version: '4',
            alerts: alerts.map((alert) => ({ status: 'firing', startsAt: new Date().toISOString(), ...alert })),
          })
        const locker = postgres(url, { max: 1, onnotice: () => undefined })
        await locker.unsafe('begin; lock table sti.alert, sti.incident in access exclusive mode')
        const flood = Array.from({ length: 8 }, (_, part) =>
          sendWebhook(agent, message(noise(1_500, `flood-${part}-`)), bearer, 'alertmanager'),
        )
        const genuine = { ...errorsHighAlert(change), fingerprint: change }
        await sendWebhook(agent, message([...noise(1_000, 'last-'), genuine]), bearer, 'alertmanager')
        await Promise.all(flood)
        await locker.unsafe('rollback')
        await locker.end()
        await expectRecord(sql, change)
        expect(await (await fetch(`${agent.url}/metrics`)).text()).toMatch(
          /sti_alerts_dropped_total\{[^}]*reason="not-valid"\} 1/,
        )
      },
      QUIET,
    )
  })
})
