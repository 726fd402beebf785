import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { withSti } from '../support/stiCommand.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'

test('sti uninstall rolls back, waits for the agents to stop, drops the schema, and keeps what still uses it', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 100)
    const columns = () =>
      sql`select attname::text as name from pg_attribute where attrelid = 'public.vehicles'::regclass and attnum > 0 and not attisdropped`
    const before = await columns()
    const servers = 'not checked without --grafana, --prometheus, --alertmanager-url'
    await withSti(async (sti, folder) => {
      const uninstall = (agent: string | null, ...args: string[]) => sti(agent, 'uninstall', '--database', url, ...args)
      await withAgent(url, VEHICLES_FILE, async (agent) => {
        await agent.run('expand')
        await agent.run('backfill')
        const shown = await uninstall(agent.url)
        expect(shown).toMatchObject({ code: 5, out: expect.stringContaining(servers) as string })
        expect(shown.out).toContain('rollouts     left: vehicles is covered')
        expect(await uninstall(agent.url, '--confirm', 'production')).toMatchObject({ code: 2 })
        expect(await sql`select from pg_trigger where tgname = '~sti_derive'`).toHaveLength(1)

        const rolledBack = await uninstall(agent.url, '--confirm', 'staging')
        expect(rolledBack).toMatchObject({ code: 5, err: expect.any(String) as string })
        expect(rolledBack.out).toContain('agents       left: sti agent-1')
        expect(await columns()).toEqual(before)
        expect(await readdir(join(folder, 'sti-export-staging'))).toEqual([
          'vehicles-operations.json',
          'vehicles-report.json',
        ])
        await agent.run('expand')
      })
      // The agent is gone, but the trigger of an expand is not.
      const unreachable = 'http://127.0.0.1:9'
      const kept = await uninstall(unreachable, '--confirm', 'staging')
      expect(kept).toMatchObject({
        code: 5,
        out: expect.stringContaining('database     left: "~sti_derive" on') as string,
      })
      expect(await sql`select from pg_namespace where nspname = 'sti'`).toHaveLength(1)
      await withAgent(url, VEHICLES_FILE, (agent) => agent.run('rollback', { scope: 'system', confirm: 'vehicles' }))

      expect(await uninstall(unreachable)).toMatchObject({ code: 5 })
      const done = await uninstall(unreachable, '--confirm', 'staging', '--json')
      expect(done.code).toBe(0)
      expect(JSON.parse(done.out)).toEqual({ step: 'done', left: [] })
      expect(await uninstall(unreachable)).toMatchObject({
        code: 0,
        out: expect.stringContaining('Nothing of STI is left in what was checked.') as string,
      })
    })
    expect(await sql`select from pg_namespace where nspname = 'sti'`).toHaveLength(0)
    expect(await columns()).toEqual(before)
  })
})
