import { pbkdf2 } from 'node:crypto'
import { availableParallelism, tmpdir } from 'node:os'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { startPostgres } from '../test/support/server.ts'
import { formatPercent } from '../agent/src/format/format.ts'
import { median, relativeSpread } from './statistics.ts'

/** Above this variation, other work disturbs the machine and results are not comparable. */
const NOISE_LIMIT_RATIO = 0.15
const STATEMENTS_PER_SAMPLE = 1000

export interface Calibration {
  /** Runs the fixed workload (about 2 s) and records its duration. */
  sample(): Promise<void>
  /** A warning if the machine was too noisy, else null. */
  warning(): string | null
  stop(): Promise<void>
}

/**
 * A fixed workload around each method: hashing on every core, and small statements on an idle server. The variation of its
 * duration is the part of a difference between methods that the machine causes.
 */
export async function startCalibration(): Promise<Calibration> {
  const server = await startPostgres(['-c', 'synchronous_commit=off', '-c', 'autovacuum=off'], tmpdir())
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  await sql.unsafe('create table public.account (id integer primary key, balance integer not null)')
  await sql.unsafe('insert into public.account select n, 0 from generate_series(1, 1000) n')
  const hashing: number[] = []
  const statements: number[] = []
  const takeSample = async (): Promise<void> => {
    hashing.push(median(await timeRepeatedly(hashOnEveryCore)))
    statements.push(median(await timeRepeatedly(() => runStatements(sql))))
  }
  // The first sample is a warm-up.
  await takeSample()
  hashing.length = statements.length = 0
  return {
    sample: takeSample,
    warning() {
      const [cpu, database] = [relativeSpread(hashing), relativeSpread(statements)]
      if (Math.max(cpu, database) <= NOISE_LIMIT_RATIO) return null
      return (
        `This machine is too noisy for a comparison: the same work varied by ${formatPercent(cpu)} (hashing) and ` +
        `${formatPercent(database)} (small statements; limit ${formatPercent(NOISE_LIMIT_RATIO)}). Measure again when the machine is idle.`
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
