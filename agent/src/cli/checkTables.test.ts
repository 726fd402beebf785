import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { VEHICLES_FILE } from '../../../test/support/vehicles.ts'
import { loadRollouts, loadRolloutsAndGroups } from '../rollout/compileRollout.ts'
import { runProgram } from './program.ts'

async function check(cwd: string, ...options: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const texts = Promise.all([text(stdout), text(stderr)])
  const argv = ['check', 'vehicles.yaml', ...options]
  const code = await runProgram(argv, { stdin: new PassThrough(), stdout, stderr, env: {}, cwd, home: '/' })
  stdout.end()
  stderr.end()
  const [out, err] = await texts
  return { code, out, err }
}

test('check names what differs between the tables of a file, and --table checks one of them', async () => {
  await withDatabase(async ({ url, sql }) => {
    for (let i = 1; i <= 12; i++)
      await sql.unsafe(`create schema tenant_${i}; create table tenant_${i}.vehicles
        (id bigint primary key, is_truck boolean not null, is_bike boolean not null)`)
    const folder = await mkdtemp(join(tmpdir(), 'sti-tables-'))
    await writeFile(join(folder, 'vehicles.yaml'), VEHICLES_FILE.replace('public.vehicles', 'tenant_*.vehicles'))

    expect(await check(folder)).toMatchObject({
      code: 0,
      out: expect.stringContaining('vehicles.yaml is valid: vehicles, tenant_*.vehicles, is_truck, is_bike.') as string,
    })
    const alike = await check(folder, '--database', url)
    expect(alike.out).toContain('vehicles.yaml is valid and matches every table: vehicles, 12 tables of 1 kind')
    const one = await check(folder, '--database', url, '--table', 'tenant_3.vehicles')
    expect(one.out).toContain('valid and matches the table: vehicles@tenant_3, "tenant_3"."vehicles"')
    expect(await check(folder, '--table', 'other.vehicles')).toMatchObject({ code: 2 })

    await sql`alter table tenant_7.vehicles drop is_bike`
    const different = await check(folder, '--database', url)
    expect(different.code).toBe(1)
    expect(different.out).toContain(
      'In 1 of 12 tables, column is_bike does not exist; in most it is boolean not null: tenant_7.',
    )
    expect(different.err).toContain('vehicles.yaml has 1 fault')

    await expect(loadRollouts(folder)).rejects.toThrow(
      /:2:8 table names several tables\. Here, each file has one table/,
    )
    expect((await loadRolloutsAndGroups(folder)).groups.map(({ name }) => name)).toEqual(['vehicles'])
  })
})
