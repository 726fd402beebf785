import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { QUIET_LOG } from '../support/operations.ts'
import { withSti } from '../support/stiCommand.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'

interface MemberDatabase {
  readonly name: string
  readonly agent: TestAgent
  readonly sql: postgres.Sql
}

/** One database with an agent of its own for each name. */
async function withMembers<T>(
  names: readonly string[],
  use: (members: readonly MemberDatabase[]) => Promise<T>,
): Promise<T> {
  const [name, ...rest] = names
  if (name === undefined) return await use([])
  return await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 200)
    return await withAgent(
      url,
      VEHICLES_FILE,
      (agent) => withMembers(rest, (others) => use([{ name, agent, sql }, ...others])),
      QUIET_LOG,
    )
  })
}

const stagesOf = (members: readonly MemberDatabase[]) =>
  Promise.all(members.map(async ({ agent }) => (await agent.rollout()).stage))
const operationsOf = async ({ agent }: MemberDatabase) =>
  (await agent.rollout()).operations.map(({ kind, state }) => `${kind} ${state}`).reverse()

test('a fleet advances in waves, stops at a broken member, continues, twice at once, and turns the flag off everywhere', async () => {
  await withMembers(['eu', 'us', 'asia', 'test'], async (members) => {
    const [, us, asia, canary] = members as [MemberDatabase, MemberDatabase, MemberDatabase, MemberDatabase]
    await withSti(async (sti, folder) => {
      const entries = members.map(({ name, agent }) => ({
        name,
        environment: 'staging',
        labels: { ring: name === 'test' ? 'canary' : 'rest' },
        agents: [{ url: agent.url, token: TOKENS.ann }],
      }))
      const waves = [{ labels: { ring: 'canary' }, hold: '1s' }, { percentage: 75 }]
      const writeFleet = (changed: object) =>
        writeFile(
          join(folder, 'fleet.yaml'),
          JSON.stringify({ rollout: 'vehicles', members: entries, waves, ...changed }),
        )
      const fleet = (...args: string[]) => sti(null, 'fleet', args[0]!, 'fleet.yaml', ...args.slice(1))
      await writeFleet({})
      const shown = await fleet('advance', '--to', 'verified', '--dry-run')
      expect(shown).toMatchObject({ code: 0, err: '' })
      expect(shown.out.split('\n').map((line) => line.split(/\s+/).slice(0, 2).join(' '))).toEqual([
        'MEMBER WAVE',
        'test 1',
        'eu 2',
        'us 2',
        'asia 3',
        '',
      ])

      // The second wave has a member whose column has the wrong type; the third does not begin.
      await us.sql`alter table public.vehicles add column type integer`
      const stopped = await fleet('advance', '--to', 'enabled', '--percentage', '50')
      expect(stopped).toMatchObject({ code: 1, err: expect.stringContaining('1 of 4 members failed') as string })
      expect(stopped.err).toMatch(/us: .*type/)
      expect((await stagesOf([canary, us, asia])).map(String)).toEqual(['ramping', 'new', 'new'])
      await us.sql`alter table public.vehicles drop column type`

      const both = await Promise.all([1, 2].map(() => fleet('advance', '--to', 'enabled', '--percentage', '50')))
      expect(both.map(({ code, err }) => [code, err.match(/failed.*/s)?.[0]])).toEqual([
        [0, undefined],
        [0, undefined],
      ])
      const whole = ['expand', 'backfill', 'validation', 'finalize', 'flag'].map((kind) => `${kind} succeeded`)
      for (const member of members) expect(await operationsOf(member), member.name).toEqual(whole)

      // Members that roll back by themselves: nothing further starts, and together takes the others along.
      await writeFleet({ together: true })
      await asia.agent.run('rollback', { scope: 'flag' })
      expect(await fleet('advance', '--to', 'enabled')).toMatchObject({
        code: 1,
        err: expect.stringContaining('It was rolled back. Pass --again') as string,
      })

      // An agent that does not answer stops nobody.
      await writeFleet({
        members: [{ ...entries[0], name: 'gone', agents: [{ url: 'http://127.0.0.1:9', token: 'x' }] }, ...entries],
      })
      const off = await fleet('rollback')
      expect(off).toMatchObject({ code: 1, err: expect.stringContaining('1 of 5 members failed') as string })
      expect(off.err).toContain('gone: The agent at http://127.0.0.1:9 cannot be reached')
      for (const { agent } of members) expect((await agent.rollout()).flag.enabled).toBe(false)

      await writeFleet({})
      expect(await fleet('rollback', '--scope', 'data')).toMatchObject({ code: 2 })
      expect(await fleet('rollback', '--scope', 'data', '--confirm', 'vehicles')).toMatchObject({ code: 0 })
      expect(new Set(await stagesOf(members))).toEqual(new Set(['rolled-back']))
    })
  })
})
