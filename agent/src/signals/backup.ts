import type { BackupStatus } from '../contract/rehearsal.ts'
import type { Database } from '../database/connect.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { poll, type Poll } from './poll.ts'
import { probe, type Probe } from './probe.ts'

export interface BackupWatch {
  start(): void
  stop(): Promise<void>
  /** From memory. */
  read(rollout: string): BackupStatus
}

const EVERY_MS = 30_000
const BOUND_MS = 5_000

/** Asks each rollout file's own query for its last backup, every half minute: read-only, with a time-out. */
export function watchBackups(database: Database, rollouts: readonly Rollout[], now = Date.now): BackupWatch {
  const watched = new Map(rollouts.map((rollout) => [rollout.name, watchOne(database, rollout, now)]))
  return {
    start() {
      for (const { status } of watched.values()) status.start()
    },
    async stop() {
      for (const { status } of watched.values()) status.stop()
      await Promise.all([...watched.values()].map(({ asked }) => asked.end()))
    },
    read: (rollout) => watched.get(rollout)?.status.read() ?? unknown('there is no such rollout'),
  }
}

function watchOne(
  database: Database,
  rollout: Rollout,
  now: () => number,
): { status: Poll<BackupStatus>; asked: Probe } {
  const asked = probe(
    () =>
      database.engine({
        purpose: 'backup',
        readOnly: true,
        statementTimeoutMs: BOUND_MS,
        searchPath: rollout.searchPath,
      }),
    BOUND_MS,
  )
  const { query, maxAge } = rollout.file.backup
  const status = poll<BackupStatus>({
    intervalMs: EVERY_MS,
    now,
    unknown,
    refresh: async () => judged(await look(asked, query), maxAge, await lookAtArchive(asked, rollout.name)),
  })
  return { status, asked }
}

interface Seen {
  /** Seconds since the newest time that the query gives; null: it gives none. */
  readonly age: number | null
  readonly mode: string
  readonly archived: number | null
  readonly failing: { readonly file: string; readonly seconds: number } | null
}

async function look(asked: Probe, query: string): Promise<Seen> {
  const [row] = await asked.ask<Seen[]>((sql) =>
    sql.unsafe(
      `select /* sti */ (select extract(epoch from clock_timestamp() - max(q.at)::timestamptz)::float8 from (${query}\n) as q (at)) as age,
         current_setting('archive_mode') as mode,
         (select extract(epoch from clock_timestamp() - last_archived_time)::float8 from pg_stat_archiver) as archived,
         (select jsonb_build_object('file', last_failed_wal, 'seconds', greatest(0, extract(epoch from clock_timestamp() - last_failed_time)))
           from pg_stat_archiver where last_failed_time > coalesce(last_archived_time, '-infinity')) as failing`,
      [],
      // As one statement: a text with several is refused by PostgreSQL. The driver's types do not know the option.
      { simple: false } as object,
    ),
  )
  return row!
}

/** What was kept of the legacy columns before they were dropped, as it was last compared with the table. */
interface Kept {
  readonly checksum: string
  readonly rows: number
  readonly differing: number
  readonly seconds: number
}

async function lookAtArchive(asked: Probe, rollout: string): Promise<Kept | null> {
  const [there] = await asked.ask<{ there: boolean }[]>(
    (sql) => sql`select /* sti */ to_regclass('sti.column_archive') is not null as there`,
  )
  // At the first boot it is not there yet.
  if (!there!.there) return null
  const [row] = await asked.ask<Kept[]>(
    (sql) => sql`select checksum, verified_rows::float8 as rows, verified_differing::float8 as differing,
        extract(epoch from clock_timestamp() - verified_at)::float8 as seconds
      from sti.column_archive where rollout = ${rollout} and verified_at is not null and checksum is not null`,
  )
  return row ?? null
}

function judged({ age, mode, archived, failing }: Seen, maxAge: number, kept: Kept | null): BackupStatus {
  const archiver =
    mode === 'off'
      ? 'archive_mode is off'
      : failing !== null
        ? `the archiver has failed at ${failing.file} for ${shown(failing.seconds)}`
        : archived === null
          ? 'nothing was archived yet'
          : `WAL was last archived ${shown(archived)} ago`
  const columns =
    kept === null
      ? ''
      : ` The archive of the legacy columns had checksum ${kept.checksum} over ${kept.rows.toLocaleString('en')} rows ${shown(kept.seconds)} ago, ${kept.differing} of them not as in the table.`
  if (age === null)
    return {
      available: false,
      ageSeconds: null,
      detail: `backup.query of the rollout file gives no time of a backup; ${archiver}.${columns}`,
    }
  const seconds = Math.max(0, age)
  const old = seconds > maxAge
  return {
    available: !old,
    ageSeconds: seconds,
    detail: `The last backup is ${shown(seconds)} old, ${old ? 'more than' : 'of at most'} ${shown(maxAge)}; ${archiver}.${columns}`,
  }
}

function unknown(sentence: string): BackupStatus {
  return { available: false, ageSeconds: null, detail: `The last backup is not known: ${sentence}.` }
}

function shown(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`
}
