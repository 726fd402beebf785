import { tmpdir } from 'node:os'
import postgres from 'postgres'
import { startPostgres } from '../../test/support/server.ts'
import { createBenchTable } from '../benchTable.ts'
import { SERVER_SETTINGS } from '../dedicatedServer.ts'
import { withAgentProcess } from '../methods/agentRun.ts'

/** Writes between backfill and finalize, each one statement over all rows. */
export const WRITES = {
  'another column': 'update public.vehicles set axles = axles + 1',
  'a legacy column': 'update public.vehicles set is_truck = not is_truck',
  'a type that contradicts the legacy columns':
    "update public.vehicles set type = case type when 'Car' then 'Bike' else 'Car' end",
} as const
export type Write = keyof typeof WRITES

/** `false`: the same function of the dual-write trigger, without the part that counts conflicts. */
export interface WriteTime {
  readonly write: Write
  readonly counting: boolean
  readonly seconds: number
}

/** Measures every write with and without counting, `runs` times in turn, on a table whose rows all have their type. */
export async function measureWrites(
  rows: number,
  runs: number,
  afterRun: () => Promise<void>,
): Promise<readonly WriteTime[]> {
  const server = await startPostgres(
    SERVER_SETTINGS.flatMap((setting) => ['-c', setting]),
    tmpdir(),
  )
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  try {
    await createBenchTable(sql, rows, 50)
    // The agent stops before the measurement.
    await withAgentProcess(server.url, false, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
    })
    const functions = await dualWriteFunctions(sql)
    const times: WriteTime[] = []
    // The first run warms up.
    for (let run = 0; run <= runs; run++) {
      for (const write of Object.keys(WRITES) as Write[]) {
        for (const counting of [false, true]) {
          await sql.unsafe(counting ? functions.counting : functions.plain)
          await sql`vacuum (analyze) public.vehicles`
          const seconds = await timeUndone(sql, WRITES[write])
          if (run > 0) times.push({ write, counting, seconds })
        }
      }
      await afterRun()
    }
    return times
  } finally {
    await sql.end({ timeout: 5 })
    await server.stop()
  }
}

/** The function as the agent created it, and the same without the block that counts. */
async function dualWriteFunctions(sql: postgres.Sql): Promise<{ counting: string; plain: string }> {
  const [row] = await sql<{ definition: string }[]>`
    select pg_get_functiondef('sti.derive_vehicles'::regproc) as definition`
  const counting = row!.definition
  const plain = counting.replace(/\n {2}if type_given is not null and [\s\S]*?(?=\n {2}return new;)/, '')
  if (plain === counting || plain.includes('record_correction'))
    throw new Error(`the function has no block that counts conflicts:\n${counting}`)
  return { counting, plain }
}

/** Seconds of a statement that is rolled back, so that each run finds the same rows. */
async function timeUndone(sql: postgres.Sql, statement: string): Promise<number> {
  await sql.unsafe('begin')
  const began = performance.now()
  await sql.unsafe(statement)
  const seconds = (performance.now() - began) / 1000
  await sql.unsafe('rollback')
  return seconds
}
