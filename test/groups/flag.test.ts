import { expect, test } from 'vitest'
import type { FlagStatus, Group, Operation } from '../../agent/src/contract/index.ts'
import { agentClient, TOKENS } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { createTenants, withGroupAgent } from './tenants.ts'

test('one flag, over HTTP: on only once every table is ready, off at once, and the tables by state', async () => {
  await withDatabase(async (database) => {
    const { sql } = database
    await createTenants(sql, 3, 50)
    await withGroupAgent(database, async ({ agent }) => {
      const client = agentClient(agent.url, 'vehicles')
      const tables = async (): Promise<Group> => await client.get<Group>('/v1/rollouts/vehicles/tables')
      const evaluate = async (): Promise<unknown> => {
        const response = await fetch(`${agent.url}/ofrep/v1/evaluate/flags/vehicles-sti`, {
          method: 'POST',
          headers: { authorization: `Bearer ${TOKENS.flag}`, 'content-type': 'application/json' },
          body: JSON.stringify({ context: { targetingKey: 'tenant_1' } }),
        })
        return ((await response.json()) as { value: unknown }).value
      }
      const enabling = async (): Promise<string> => (await client.preview('flag', { enabled: true })).reasons.join(' ')

      expect(await tables()).toMatchObject({
        names: 'tenant_*.vehicles',
        total: 0,
        running: null,
        flag: { enabled: false },
      })
      expect(await enabling()).toMatch(
        /^3 of 3 tables have no column or no trigger \(tenant_1, tenant_2, tenant_3\): run expand/,
      )
      await client.run('expand')
      expect(await enabling()).toMatch(/^3 of 3 tables are not backfilled/)
      await client.run('backfill')
      await client.run('validation')
      expect(await enabling()).toMatch(/^3 of 3 tables are not finalized/)
      await client.run('finalize')
      expect(await enabling()).toBe('')
      // One table whose trigger was dropped keeps the flag off for all of them.
      await sql.unsafe('drop trigger if exists "~sti_derive" on tenant_2.vehicles')
      await expect(client.run('flag', { enabled: true })).rejects.toThrow(
        /409 .*1 of 3 tables have no column or no trigger \(tenant_2\): run expand/,
      )
      expect(await evaluate()).toBe(false)
      for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await client.run(kind)
      expect(await enabling()).toBe('')
      await client.run('flag', { enabled: true })
      expect(await evaluate()).toBe(true)
      await expect(client.run('backfill')).rejects.toThrow(/The flag is on/)

      const { states, stages, total, tables: rows } = await tables()
      expect([states, stages, total]).toEqual([{ succeeded: 3 }, { finalized: 3 }, 3])
      const operation = await client.get<Operation>(
        `/v1/operations/${rows.find(({ schema }) => schema === 'tenant_2')!.operation}`,
      )
      expect([operation.rollout, operation.state]).toEqual(['vehicles@tenant_2', 'succeeded'])

      // A tenant that is created while the flag is on is named within half a minute.
      expect((await tables()).newSchemas).toEqual([])
      await sql.unsafe('create schema tenant_9; create table tenant_9.vehicles (like tenant_1.vehicles including all)')
      await sql.unsafe('alter table tenant_9.vehicles drop type')
      await expect.poll(async () => (await tables()).newSchemas, { interval: 1_000 }).toEqual(['tenant_9'])
      await sql.unsafe('drop schema tenant_9 cascade')

      await client.run('rollback', { scope: 'flag' })
      expect(await evaluate()).toBe(false)
      await client.run('flag', { enabled: true })
      // The data cannot be rolled back with the flag on: the first table turns it off for all.
      await expect(client.run('rollback', { scope: 'data', confirm: 'vehicles@tenant_1' })).rejects.toThrow(
        /confirmed with the name/,
      )
      await client.run('rollback', { scope: 'data', confirm: 'vehicles' })
      const { flag, stages: after }: { flag: FlagStatus; stages: unknown } = await tables()
      expect([flag.enabled, after]).toEqual([false, { 'rolled-back': 3 }])
      await expect(client.get('/v1/rollouts/vehicles')).rejects.toThrow(/409 .*has several tables/)
      await expect(client.run('rehearsal')).rejects.toThrow(/409 .*Run rehearsal for a file with one table/)
    })
  })
})
