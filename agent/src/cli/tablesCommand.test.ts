import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { createTenants, withGroupAgent } from '../../../test/groups/tenants.ts'
import { TOKENS } from '../../../test/support/agent.ts'
import { withDatabase } from '../../../test/support/database.ts'
import { runProgram } from './program.ts'

test('the commands of a rollout with one table work for one with several, and sti tables shows them', async () => {
  await withDatabase(async (database) => {
    const { sql } = database
    await createTenants(sql, 22, 5)
    await withGroupAgent(database, async ({ agent }) => {
      const sti = async (line: string): Promise<{ code: number; out: string; err: string }> => {
        const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
        const env = { STI_URL: agent.url, STI_TOKEN: TOKENS.ann, NO_COLOR: '1' }
        const texts = Promise.all([text(stdout), text(stderr)])
        const code = await runProgram(line.split(' '), { stdin, stdout, stderr, env, cwd: '/', home: '/' })
        stdout.end()
        stderr.end()
        const [out, err] = await texts
        return { code, out, err }
      }
      expect((await sti('tables')).out).toContain('No operation has looked at its tables yet')
      expect(await sti('backfill')).toMatchObject({ code: 1 })
      expect((await sti('tables')).out).toContain('Last operation: 22 failed')
      expect((await sti('expand --dry-run')).out).toContain('Runs in each of 22 tables')
      for (const line of ['expand', 'backfill', 'validate', 'finalize', 'flag --enable'])
        expect([line, await sti(line)]).toEqual([
          line,
          { code: 0, out: expect.stringContaining('succeeded') as string, err: expect.any(String) as string },
        ])
      const shown = (await sti('tables')).out
      expect(shown).toContain('vehicles: tenant_*.vehicles; flag vehicles-sti on at 100%')
      expect(shown).toContain('22 tables: 22 finalized')
      expect(shown).toContain('… and 2 more: --all lists them.')
      expect(JSON.parse((await sti('tables --json --all')).out)).toMatchObject({ total: 22, states: { succeeded: 22 } })
      expect(await sti('rollback data')).toMatchObject({ code: 2 })
      expect(await sti('rollback all --confirm vehicles')).toMatchObject({ code: 0 })
      const after = (await sti('tables')).out
      expect(after).toContain('flag vehicles-sti off')
      expect(after).toContain('22 tables: 22 rolled-back')
      expect((await sti('readiness')).err).toMatch(/no rollout|does not exist|several tables/)
    })
  })
}, 400_000)
