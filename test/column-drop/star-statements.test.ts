import { expect, test } from 'vitest'
import { withSession } from '../support/faultInjection.ts'
import { withSti } from '../support/stiCommand.ts'
import { findColumnDropCheck, prepareColumnDrop, waitForSoak, withEnabledRollout } from './enabledRollout.ts'
import { runMigration } from './runMigration.ts'

/** What ORMs and drivers write by themselves. */
const STAR_STATEMENTS = [
  'select "v0".* from "vehicles" as "v0" where "v0"."id" = 1',
  `insert into "vehicles" ("name", "type") values ('x', 'Truck') returning *`,
  `update "vehicles" set "name" = 'y' where "id" = 1 returning *`,
]
const CHECK = 'no-statement-reads'

test('statements that read the columns only through * are accepted one by one, and the pull request says what drivers do', async () => {
  await withEnabledRollout(async ({ agent, database: { sql, url } }) => {
    await withSession(url, async (session) => {
      // New code may omit the columns, as the step before the column drop requires.
      await sql.unsafe('alter table vehicles alter is_truck set default false, alter is_bike set default false')
      await agent.run('finalize')
      await agent.run('validation', { layers: ['integrity'] })
      for (const [index, statement] of STAR_STATEMENTS.entries())
        await session.unsafe(`prepare s${index} as ${statement}`)
      const runAll = async (): Promise<string[]> => {
        const failed: string[] = []
        for (const [index, statement] of STAR_STATEMENTS.entries())
          await session.unsafe(`execute s${index}`).catch((error: unknown) => {
            expect((error as Error).message).toBe('cached plan must not change result type')
            failed.push(statement)
          })
        for (const [index, statement] of STAR_STATEMENTS.entries())
          await session.unsafe(`deallocate s${index}; prepare s${index} as ${statement}`)
        return failed
      }
      await sql.unsafe(STAR_STATEMENTS[0]!)
      await prepareColumnDrop(agent)
      await waitForSoak(agent)
      expect(await runAll()).toEqual([])
      for (const statement of STAR_STATEMENTS) await sql.unsafe(statement)
      await sql.unsafe('do $$ begin perform is_truck from vehicles limit 1; end $$')

      const refused = await prepareColumnDrop(agent)
      expect(refused).toMatchObject({ prepared: false })
      const check = findColumnDropCheck(refused, CHECK)
      expect(check).toMatchObject({ verdict: 'inconclusive' })
      expect(check.evidence).toContain('only because of *, and name none of them')
      expect(check.evidence).toContain('it is an anonymous block')
      expect(check.acceptable).toEqual(
        expect.arrayContaining([
          expect.stringContaining('"v0".*'),
          expect.stringContaining('values ($1, $2) returning *'),
        ]),
      )
      // A statement that names a column stays a failure that nobody can accept.
      await sql.unsafe('select *, is_truck from vehicles limit 1')
      const named = findColumnDropCheck(await prepareColumnDrop(agent), CHECK)
      expect(named).toMatchObject({ verdict: 'fail', acceptable: [] })
      expect(named.findings.join()).not.toContain('"v0".*')
      await waitForSoak(agent)
      await runAll()
      for (const statement of STAR_STATEMENTS) await sql.unsafe(statement)
      expect(findColumnDropCheck(await prepareColumnDrop(agent), CHECK)).toMatchObject({ verdict: 'inconclusive' })

      await withSti(async (sti) => {
        const done = await sti(
          agent.url,
          'accept-check',
          CHECK,
          '--all',
          '--reason',
          'The mapper ignores unknown columns.',
        )
        expect(done).toMatchObject({ code: 0 })
      })
      // The soak time is short here: on a slow machine, the calls are over before somebody has accepted them.
      for (const statement of STAR_STATEMENTS) await sql.unsafe(statement)
      const prepared = await prepareColumnDrop(agent)
      expect(prepared, prepared.reasons.join(' ')).toMatchObject({ prepared: true, verdict: 'pass' })
      const { body } = prepared.pullRequest!
      const section = body.slice(body.indexOf('## Statements with `*`'), body.indexOf('## How to run the migration'))
      expect(section).toMatch(/"v0"\.\\\* from.*The mapper ignores unknown columns/)
      expect(section).toContain('autosave=conservative')
      expect(section).toContain('cached plan must not change result type')

      // What the pull request says is what happens, once after the migration and once after its undo.
      await runMigration(url, prepared.migration!.up)
      expect(await runAll()).toEqual(STAR_STATEMENTS)
      expect(await runAll()).toEqual([])
      await runMigration(url, prepared.migration!.down!)
      expect(await runAll()).toEqual(STAR_STATEMENTS)
      expect(await runAll()).toEqual([])
    })
  })
})
