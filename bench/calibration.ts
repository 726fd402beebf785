import { pbkdf2 } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { startPostgres } from '../test/support/server.ts'
import { median, relativeSpread } from './statistics.ts'

/** Above this the machine does other things too, and the figures are not worth comparing. */
const NOISE_LIMIT_RATIO = 0.15
const STATEMENTS_PER_SAMPLE = 1000

export interface Calibration {
  /** Does the same work once more, about two seconds, and remembers how long it took. */
  sample(): Promise<void>
  /** One line when the machine was too noisy, else null. */
  warning(): string | null
  stop(): Promise<void>
}

/**
 * A fixed workload around each method: hashing on every core, and small statements on a server that does nothing else.
 * How much its duration varies says how much of a difference between methods is the machine's.
 */
export async function startCalibration(): Promise<Calibration> {
  const server = await startPostgres(['-c', 'synchronous_commit=off', '-c', 'autovacuum=off'])
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  await sql.unsafe('create table public.account (id integer primary key, balance integer not null)')
  await sql.unsafe('insert into public.account select n, 0 from generate_series(1, 1000) n')
  const hashing: number[] = []
  const statements: number[] = []
  const takeSample = async (): Promise<void> => {
    hashing.push(median(await timeRepeatedly(hashOnEveryCore)))
    statements.push(median(await timeRepeatedly(() => runStatements(sql))))
  }
  // The first one only warms up.
  await takeSample()
  hashing.length = statements.length = 0
  return {
    sample: takeSample,
    warning() {
      const [cpu, database] = [relativeSpread(hashing), relativeSpread(statements)]
      if (Math.max(cpu, database) <= NOISE_LIMIT_RATIO) return null
      const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`
      return (
        `This machine is too noisy to compare by: between methods the same work varied by ${percent(cpu)} (hashing) ` +
        `and ${percent(database)} (small statements), at most ${percent(NOISE_LIMIT_RATIO)} is good; measure again when it is quiet.`
      )
    },
    async stop() {
      await sql.end({ timeout: 5 })
      await server.stop()
    },
  }
}

async function timeRepeatedly(work: () => Promise<void>): Promise<number[]> {
  const times: number[] = []
  for (let n = 0; n < 5; n++) {
    const started = performance.now()
    await work()
    times.push(performance.now() - started)
  }
  return times
}

async function hashOnEveryCore(): Promise<void> {
  const hash = promisify(pbkdf2)
  await Promise.all(Array.from({ length: availableParallelism() }, () => hash('', '', 150_000, 32, 'sha256')))
}

async function runStatements(sql: postgres.Sql): Promise<void> {
  for (let n = 1; n <= STATEMENTS_PER_SAMPLE; n++)
    await sql`update public.account set balance = balance + 1 where id = ${n}`
}
