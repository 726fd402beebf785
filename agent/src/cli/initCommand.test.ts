import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { withDatabase } from '../../../test/support/database.ts'
import { runProgram } from './program.ts'

async function runSti(cwd: string, ...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const texts = Promise.all([text(stdout), text(stderr)])
  const code = await runProgram(argv, { stdin: new PassThrough(), stdout, stderr, env: {}, cwd, home: '/' })
  stdout.end()
  stderr.end()
  const [out, err] = await texts
  return { code, out, err }
}

test('a draft that init prints or writes passes check, which lists the rows and what later steps would refuse', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`create extension if not exists pg_stat_statements;
      create table public.vehicles (id int primary key, is_truck boolean not null, is_bike boolean not null);
      insert into public.vehicles select n, n % 3 = 0, n % 3 = 1 from generate_series(1, 30) n;
      create view public.trucks as select id from public.vehicles where is_truck`)
    const folder = await mkdtemp(join(tmpdir(), 'sti-init-'))
    const printed = await runSti(folder, 'init', 'vehicles', '--database', url)
    expect(printed).toMatchObject({ code: 0, err: '' })
    const written = await runSti(folder, 'init', 'vehicles', '--database', url, '--output', 'vehicles.yaml')
    expect(written).toMatchObject({ code: 0, out: '' })
    const file = await readFile(join(folder, 'vehicles.yaml'), 'utf8')
    expect(printed.out).toBe(file)
    expect(parse(file)).toMatchObject({ rollout: 'vehicles', legacyColumns: ['is_truck', 'is_bike'] })

    const again = await runSti(folder, 'init', 'vehicles', '--database', url, '--output', 'vehicles.yaml')
    expect(again.code).toBe(2)
    expect(again.err).toContain('The file already exists')

    const checked = await runSti(folder, 'check', 'vehicles.yaml', '--database', url)
    expect(checked).toMatchObject({ code: 0, err: '' })
    expect(checked.out.split('\n')).toEqual([
      expect.stringContaining('vehicles.yaml is valid and matches the table'),
      'Rows: 10 Truck, 10 Bike, 10 Other',
      '',
      'Column drop would be refused',
      '  x 1 object depends on the columns (check no-dependent-objects).',
      '      - view public.trucks depends on is_truck: PostgreSQL refuses to drop a column that a view uses. Create it again without the columns, or drop it',
      '',
    ])
    await sql`create table public.other (id int primary key, note timestamptz)`
    const none = await runSti(folder, 'init', 'other', '--database', url)
    expect(none).toMatchObject({ code: 1, err: expect.stringContaining('No column of "public"."other"') as string })
  })
})
