import { readFile } from 'node:fs/promises'
import postgres from 'postgres'

/** Constraints that refuse the update of single rows, each with an error of its own. */
const REFUSALS = {
  check: 'check (id not in (11, 12)) not valid',
  division: 'check (1 / (id - 13) is not null) not valid',
  raised: 'check (public.sti_test_refuse(id)) not valid',
} as const
export type Refusal = keyof typeof REFUSALS

/** Connects to the staging database of the demo, whose folder has the file with the URL. */
export async function openDatabase(urlFile: string): Promise<postgres.Sql> {
  return postgres((await readFile(urlFile, 'utf8')).trim(), { max: 1, onnotice: () => undefined })
}

/** Makes the database refuse four rows: two by a CHECK, one by a division by zero, and one by an exception. */
export async function refuseRows(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`create function public.sti_test_refuse(id bigint) returns boolean language plpgsql as $$
    begin
      if id = 14 then raise exception 'row 14 is refused'; end if;
      return true;
    end $$`)
  for (const [name, constraint] of Object.entries(REFUSALS))
    await sql.unsafe(`alter table public.vehicles add constraint sti_test_${name} ${constraint}`)
}

export async function acceptRows(sql: postgres.Sql, ...refusals: Refusal[]): Promise<void> {
  for (const name of refusals) await sql.unsafe(`alter table public.vehicles drop constraint sti_test_${name}`)
  if (refusals.includes('raised')) await sql.unsafe('drop function public.sti_test_refuse')
}
