import { expect, test } from 'vitest'
import type { Problem, Readiness, ReadinessItem } from '../../agent/src/contract/index.ts'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withSti } from '../support/stiCommand.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'

const contacts = (phone: string): string => `${VEHICLES_FILE}contacts:
  - { role: Technical Lead, name: Ann, phone: "${phone}", email: ann@example.com, escalateAfter: 5m }
  - { role: DevOps Engineer, name: Bob, phone: "2", email: bob@example.com, escalateAfter: 10m }
`
const ATTESTATIONS = '/v1/rollouts/vehicles/attestations'

const readiness = (agent: TestAgent): Promise<Readiness> => agent.get('/v1/rollouts/vehicles/readiness')

async function findItem(agent: TestAgent, name: string): Promise<ReadinessItem> {
  return (await readiness(agent)).items.find((item) => item.item === name)!
}

async function readSeries(agent: TestAgent, name: string): Promise<string[]> {
  const text = await (await fetch(`${agent.url}/metrics`)).text()
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`))
    .map((line) => line.replace(`${name}{environment="staging",rollout="vehicles",`, '').replace('}', ''))
}

test('measured items follow the rollout, and an unknown item is never ready', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 300)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      const first = await readiness(agent)
      const plan = { staging: 7, production: 6, monitoring: 5, success: 12 }
      for (const [list, count] of Object.entries(plan))
        expect(first.items.filter(({ lists }) => lists.includes(list as never))).toHaveLength(count)
      expect(first.items.filter(({ state }) => state === 'ready')).toEqual([])
      expect(first.items.every(({ next }) => next !== null && next !== '')).toBe(true)

      for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
      for (const name of ['coverage', 'integrity', 'dual-write', 'backfill-tested', 'full-coverage', 'zero-rollbacks'])
        expect(await findItem(agent, name)).toMatchObject({
          state: 'ready',
          next: null,
          since: expect.any(String) as string,
        })
      for (const name of ['alerting', 'dashboards', 'dashboard', 'alerts', 'dashboard-uptime', 'alert-response'])
        expect((await findItem(agent, name)).state).toBe('unknown')
      for (const name of ['column-drop-migration', 'rollbacks-tested', 'contacts', 'training'])
        expect((await findItem(agent, name)).state).toBe('not-ready')

      // A row changed past the trigger, and a validation that finds it.
      await sql.unsafe(
        `alter table public.vehicles disable trigger "~sti_derive"; update public.vehicles set type = 'Bike' where id = 1;
        alter table public.vehicles enable always trigger "~sti_derive"`,
      )
      await agent.waitForEnd((await agent.request('validation')).id)
      expect(await findItem(agent, 'coverage')).toMatchObject({ state: 'not-ready' })
      expect(await findItem(agent, 'integrity')).toMatchObject({ state: 'not-ready' })
      await agent.run('backfill')
      expect(await findItem(agent, 'integrity')).toMatchObject({
        state: 'unknown',
        sentence: 'A bulk write has run since the last validation.',
      })
    })
  })
})

test('the response time to critical incidents counts, including drills', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      const response = () => findItem(agent, 'alert-response')
      const incident = (rule: string, severity: string, answered: string | null, by = 'bob', age = '1 hour') =>
        sql`insert into sti.incident (rollout, rule, severity, drill, source, summary, opened_by, opened_at, acknowledged_at, acknowledged_by)
          values ('vehicles', ${rule}, ${severity}, true, 'drill', 'one', '{"name": "ann"}', now() - ${age}::interval,
            now() - ${age}::interval + ${answered}::interval, case when ${answered}::text is not null then jsonb_build_object('name', ${by}::text) end)`
      expect((await response()).state).toBe('unknown')
      await incident('A', 'warning', null)
      expect((await response()).state).toBe('unknown')
      // A drill that its starter acknowledged in time tests nobody.
      await incident('S', 'critical', '1 second', 'ann')
      expect(await response()).toMatchObject({
        state: 'unknown',
        sentence: expect.stringMatching(/^1 drill acknowledged by the person who started it/) as string,
      })
      await incident('B', 'critical', '4 minutes')
      expect(await response()).toMatchObject({
        state: 'ready',
        sentence: expect.stringContaining('All 1 critical incident acknowledged in time (slowest: 4 min') as string,
      })
      await incident('O', 'critical', null, 'bob', '1 minute')
      expect(await response()).toMatchObject({
        state: 'not-ready',
        sentence: '1 of 2 critical incidents open and not acknowledged.',
      })
      await sql`delete from sti.incident where rule = 'O'`
      await incident('C', 'critical', null)
      expect(await response()).toMatchObject({
        state: 'not-ready',
        sentence: expect.stringMatching(/^1 of 2/) as string,
      })
    })
  })
})

test('turning the flag off counts as a rollback; enhanced monitoring does not', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 100)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      for (const kind of ['expand', 'backfill', 'validation', 'finalize', 'monitoring'] as const) await agent.run(kind)
      await agent.run('rollback', { scope: 'monitoring' })
      // Turning off a flag that is already off is not a rollback.
      await agent.run('flag', { enabled: false })
      expect((await findItem(agent, 'zero-rollbacks')).state).toBe('ready')
      await agent.run('flag', { enabled: true, percentage: 10 })
      await agent.run('flag', { enabled: true, percentage: 50 })
      expect((await findItem(agent, 'zero-rollbacks')).state).toBe('ready')
      await agent.run('flag', { enabled: false })
      expect(await findItem(agent, 'zero-rollbacks')).toMatchObject({
        state: 'not-ready',
        sentence: expect.stringMatching(/^1 rollback, most recently: [^.]* by ann \(operation-\d+\)/) as string,
      })
      const { sentence } = await findItem(agent, 'zero-rollbacks')
      const [, name] = /\((operation-\d+)\)/.exec(sentence)!
      const reason = 'the fault was that of the demo'
      const exclude = (token: string, subject: string, withdraw = false) =>
        agent.post<Problem>(
          '/v1/rollouts/vehicles/acceptances',
          { environment: 'staging', check: 'zero-rollbacks', subjects: [subject], reason, withdraw },
          { authorization: `Bearer ${token}` },
        )
      expect((await exclude(TOKENS.bob, name!)).status).toBe(403)
      expect((await exclude(TOKENS.ann, 'operation-999')).status).toBe(422)
      expect((await exclude(TOKENS.ann, name!)).status).toBe(200)
      expect(await findItem(agent, 'zero-rollbacks')).toMatchObject({
        state: 'ready',
        sentence: expect.stringMatching(
          /^No rollbacks; operation-\d+ was excluded by ann until .* \(the fault was that of the demo\)\.$/,
        ) as string,
      })
      const report = await (
        await fetch(`${agent.url}/v1/rollouts/vehicles/report?format=md`, {
          headers: { authorization: `Bearer ${TOKENS.ann}` },
        })
      ).text()
      expect(report).toMatch(/\| zero-rollbacks \| operation-\d+ \| ann .*the fault was that of the demo/)
      await exclude(TOKENS.ann, name!, true)
      expect((await findItem(agent, 'zero-rollbacks')).state).toBe('not-ready')
      await agent.run('rollback', { scope: 'data', confirm: 'vehicles' })
      expect((await findItem(agent, 'zero-rollbacks')).sentence).toMatch(
        /^2 rollbacks, most recently: rollback \d+ of scope data by ann/,
      )
    })
  })
})

test('a sign-off has a name, a note, and an expiry; a withdrawn or expired one, or one for another contact, does not count', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(url, contacts('1'), async (agent) => {
      const sign = (body: object, token = TOKENS.bob) =>
        agent.post<Problem & Readiness>(ATTESTATIONS, body, { authorization: `Bearer ${token}` })
      const note = 'Ann and Bob, on Tuesday'
      expect((await sign({ item: 'training', note }, TOKENS.viewer)).status).toBe(403)
      const measured = await sign({ item: 'coverage', note })
      expect([measured.status, measured.body.detail]).toEqual([422, 'coverage is measured and cannot be signed off.'])
      const nothing = await sign({ item: 'contact:Nobody', note })
      expect([nothing.status, nothing.body.reasons?.join()]).toEqual([
        422,
        expect.stringMatching(/contact:Technical Lead/),
      ])
      for (const body of [
        { item: 'training' },
        { item: 'training', note: '' },
        { item: 'training', note, expiresAt: '2020-01-01T00:00:00Z' },
        { item: 'training', note, expiresAt: '2999-01-01T00:00:00Z' },
      ])
        expect((await sign(body)).status).toBe(422)
      expect((await sign({ item: 'training', note, withdraw: true })).status).toBe(409)

      expect((await sign({ item: 'training', note })).status).toBe(200)
      expect(await findItem(agent, 'training')).toMatchObject({
        state: 'ready',
        by: 'attested',
        attestation: { by: { name: 'bob' }, note, counts: true },
      })
      expect((await readiness(agent)).ratios).toMatchObject({ team: 0.333, documentation: 0 })
      await sign({ item: 'training', note: 'half of the team is new', withdraw: true })
      expect(await findItem(agent, 'training')).toMatchObject({
        state: 'not-ready',
        sentence: expect.stringMatching(/withdrawn by bob: half of the team is new/) as string,
      })

      await sign({ item: 'documentation', note })
      expect((await readiness(agent)).ratios.documentation).toBe(1)
      await sql`update sti.attestation set expires_at = clock_timestamp() where item = 'documentation'`
      expect((await readiness(agent)).ratios.documentation).toBe(0)
      expect((await findItem(agent, 'documentation')).sentence).toMatch(/expired on/)

      await sign({ item: 'contact:Technical Lead', note: 'called, she answered' })
      expect((await findItem(agent, 'contacts')).sentence).toMatch(
        /^1 of 2 contacts are not confirmed, starting with DevOps Engineer/,
      )
      await sign({ item: 'contact:DevOps Engineer', note: 'called' })
      expect((await findItem(agent, 'contacts')).state).toBe('ready')
      await expect
        .poll(() => readSeries(agent, 'sti_contact_confirmed'), { timeout: 10_000 })
        .toEqual(['role="Technical Lead" 1', 'role="DevOps Engineer" 1'])
      await expect
        .poll(() => readSeries(agent, 'sti_readiness_ratio'), { timeout: 10_000 })
        .toContain('list="team" 0.333')
      // Each sign-off is in the event chain.
      const events = await sql`select actor->>'name' as by from sti.operation_event where kind = 'attestation'`
      expect(events).toHaveLength(5)
    })
    // With another phone number in the file, the old confirmation no longer applies.
    await withAgent(url, contacts('3'), async (agent) => {
      expect(await findItem(agent, 'contacts')).toMatchObject({
        state: 'not-ready',
        sentence: expect.stringMatching(/starting with Technical Lead: .*changed since/) as string,
      })
      await expect
        .poll(() => readSeries(agent, 'sti_contact_confirmed'), { timeout: 10_000 })
        .toEqual(['role="Technical Lead" 0', 'role="DevOps Engineer" 1'])
    })
  })
})

test('sti readiness and sti attest', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(url, contacts('1'), async (agent) => {
      await withSti(async (sti) => {
        const before = await sti(agent.url, 'readiness', '--todo')
        expect(before.code).toBe(4)
        expect(before.out).toMatch(
          /Production readiness: 0%[\s\S]*training[\s\S]*press Sign off\. Or here: sti attest "training"/,
        )
        expect((await sti(agent.url, 'attest', 'training')).code).toBe(2)
        expect((await sti(agent.url, 'attest', 'training', '--note', 'x', '--expires', 'soon')).code).toBe(2)
        expect(
          await sti(agent.url, 'attest', 'contact:Technical Lead', '--note', 'answered', '--expires', '30d'),
        ).toMatchObject({ code: 0, out: 'Signed off: contact:Technical Lead.\n' })
        const { contacts } = await readiness(agent)
        const days = (Date.parse(contacts[0]!.attestation!.expiresAt) - Date.now()) / 86_400_000
        expect(days).toBeGreaterThan(29.9)
        expect(days).toBeLessThanOrEqual(30)
        expect((await sti(agent.url, 'attest', 'contact:Technical Lead', '--note', 'left', '--withdraw')).code).toBe(0)
        expect((await readiness(agent)).contacts[0]!.confirmed).toBe(false)
      })
    })
  })
})
