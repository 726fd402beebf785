import { expect, test } from 'vitest'
import type { RolloutDetail } from '../../agent/src/contract/index.ts'
import { writeBypassingTrigger } from '../faults/seedSql.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'

const LATER = { baseline: 'later', soak: 'later', 'column-drop': 'later' }

test('each step is done after its operation, the next one is named with its action, and a rollback shows at its step', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 500)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      const look = async () => summarize(await agent.rollout())
      expect(await look()).toMatchObject({
        states: { baseline: 'next', expand: 'later' },
        next: ['baseline', 'baseline'],
      })
      const states = {
        ...LATER,
        expand: 'done',
        backfill: 'later',
        validate: 'later',
        finalize: 'later',
        flag: 'later',
      }
      await agent.run('expand')
      expect(await look()).toEqual({
        states: { ...states, backfill: 'next' },
        next: ['backfill', 'backfill'],
        blocked: false,
      })
      states.backfill = 'done'
      await agent.run('backfill')
      expect(await look()).toEqual({
        states: { ...states, validate: 'next' },
        next: ['validate', 'validation'],
        blocked: false,
      })
      states.validate = 'done'
      await agent.run('validation')
      // The other layers have checks that are inconclusive here, and the flag does not depend on them.
      const { checks } = (await agent.rollout()).validation!
      const required = checks.filter(({ layer }) => layer === 'integrity')
      expect(required.length).toBeLessThan(checks.length)
      expect(factOf(await agent.rollout(), 'validate')).toBe(`all ${required.length} required checks passed`)
      expect(await look()).toEqual({
        states: { ...states, finalize: 'next' },
        next: ['finalize', 'finalize'],
        blocked: false,
      })
      states.finalize = 'done'
      await agent.run('finalize')
      expect(await look()).toEqual({ states: { ...states, flag: 'next' }, next: ['flag', 'enable'], blocked: false })
      await agent.run('flag', { enabled: true, percentage: 10 })
      expect(await look()).toMatchObject({ states: { ...states, flag: 'current' } })
      expect(factOf(await agent.rollout(), 'flag')).toBe('on for 10%')
      await agent.run('flag', { enabled: true, percentage: 100 })
      expect(await look()).toMatchObject({ states: { flag: 'done', soak: 'current' }, next: ['soak', null] })
      await agent.run('rollback', { scope: 'flag' })
      expect(await look()).toEqual({ states: { ...states, flag: 'failed' }, next: ['flag', 'enable'], blocked: false })
      expect(factOf(await agent.rollout(), 'flag')).toBe('rolled back')
    })
  })
})

test('a failed backfill shows at its step, with its rows; a required performance layer without a baseline blocks the validation', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 100)
    await withAgent(url, VEHICLES_FILE.replace('[integrity]', '[integrity, performance]'), async (agent) => {
      await agent.run('expand')
      await sql.unsafe(`alter table public.vehicles add constraint no_one check (id <> 1 or type is null) not valid`)
      const { id } = await agent.request('backfill')
      expect(await agent.waitForEnd(id)).toMatchObject({ state: 'failed' })
      const failed = await agent.rollout()
      expect(failed.steps.find(({ step }) => step === 'backfill')).toMatchObject({ state: 'failed', fact: 'failed' })
      expect(failed.next).toMatchObject({ step: 'backfill', action: 'backfill', blockedBy: [] })
      expect(failed.vitals).toMatchObject([
        { name: 'api-latency-p95', value: null, state: 'unknown' },
        { name: 'api-error-ratio', value: null, state: 'unknown' },
        { name: 'lock-waiters', value: 0, state: 'ok' },
        { name: 'replication-lag', value: null, detail: 'No replicas.' },
        { name: 'failed-rows', value: 1, limit: 0, state: 'exceeded' },
      ])
      await sql`alter table public.vehicles drop constraint no_one`
      await agent.run('backfill')
      const { next, steps } = await agent.rollout()
      expect(next).toMatchObject({ step: 'validate', action: 'validation', unblock: 'baseline' })
      expect(next!.blockedBy[0]).toContain('has no baseline to compare with')
      expect(steps.find(({ step }) => step === 'validate')?.state).toBe('blocked')
    })
  })
})

test('the step of a validation that did not pass says which checks failed', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 100)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      for (const kind of ['expand', 'backfill'] as const) await agent.run(kind)
      expect((await agent.rollout()).next?.sentence).toMatch(/^Runs the checks/)
      await writeBypassingTrigger(sql, `update public.vehicles set type = 'Boat' where id = 1`)
      await agent.run('validation')
      const { steps, next } = await agent.rollout()
      expect(steps.find(({ step }) => step === 'validate')).toMatchObject({ state: 'failed', fact: 'fail' })
      expect(next?.sentence).toMatch(/^The layer integrity of validation \d+ failed \(coverage: 99 of 100 rows/)
    })
  })
})

function summarize({ steps, next }: RolloutDetail) {
  return {
    states: Object.fromEntries(steps.map(({ step, state }) => [step, state])),
    next: next && [next.step, next.action],
    blocked: next !== null && next.blockedBy.length > 0,
  }
}

const factOf = ({ steps }: RolloutDetail, name: string) => steps.find(({ step }) => step === name)?.fact
