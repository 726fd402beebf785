import type { LimitName } from '../contract/index.ts'
import { formatDuration, formatQuantity } from '../format/format.ts'
import { isKnown, mapReading, type Reading } from '../signals/reading.ts'
import type { ServerReadings } from '../signals/serverReadings.ts'
import type { ThrottleReadings } from '../signals/throttleReadings.ts'

/** The tiers of one limit; null: the limit does not have this tier. Only paced limits have `pace`. */
export interface LimitTiers {
  readonly pace: number | null
  readonly pause: number | null
  readonly abort: number | null
}

export const NO_TIERS: LimitTiers = { pace: null, pause: null, abort: null }

/** The value of a limit as read now, without its tiers. */
export interface LimitReading {
  readonly reading: Reading<number>
  /** The tiers that apply to this reading. */
  readonly tiers: LimitTiers
  /** A clause with the value and without a period, such as `a replica is 65 MiB behind`. */
  describe(formatted: string): string
  /** A state that makes work wait or stop whatever the value is; null: there is none. */
  readonly finding: { readonly act: 'pause' | 'abort'; readonly sentence: string } | null
  /** What to do about an abort: an imperative clause without a full stop. */
  readonly advice: string
}

interface LimitDefinition<T, From> {
  /** The default if neither the rollout file nor the operation sets the tier; docs/rollout-file.md explains it. */
  readonly defaults?: Partial<LimitTiers>
  /** Applies to every kind of operation, not only to a backfill. */
  readonly essential?: boolean
  read(readings: From): Reading<T>
  value(known: T): number
  describe(formatted: string, known: T): string
  finding?(known: T): LimitReading['finding']
  advice?(known: T): string
  tiers?(tiers: LimitTiers, known: T): LimitTiers
}

export interface ThrottleLimit {
  readonly defaults: LimitTiers
  readonly essential: boolean
  read(readings: ThrottleReadings, tiers: LimitTiers): LimitReading
  /** The same on a worker of Citus; null: the limit is about the rollout, not about a server. */
  readonly readNode: ((readings: ServerReadings, tiers: LimitTiers) => LimitReading) | null
}

const MIB = 1024 ** 2
const GIB = 1024 ** 3
const DEFAULT_ADVICE = 'Fix the cause'

/**
 * How each limit of the contract is read, its messages, and its defaults. A limit has an abort only if waiting does
 * not help. A limit of the contract that is missing here does not compile.
 */
export const LIMIT_TABLE = {
  lockWaiters: defineServerLimit({
    defaults: { pause: 0 },
    essential: true,
    read: (readings) => readings.lockWaiters(),
    value: ({ waiters }) => waiters,
    describe: (_, { waiters }) =>
      `${formatQuantity(waiters, 'session is', 'sessions are')} waiting for a lock held by STI`,
  }),
  replicationLagBytes: defineServerLimit({
    defaults: { pause: 64 * MIB },
    essential: true,
    read: (readings) => readings.replicationLag(),
    value: ({ bytes }) => bytes,
    describe: (lag) => `a replica is ${lag} behind`,
  }),
  replicationLagSeconds: defineServerLimit({
    defaults: { pause: 10 },
    essential: true,
    read: (readings) => readings.replicationLag(),
    // PostgreSQL reports no time for a replica that has just connected or disconnected: then only the bytes count.
    value: ({ seconds }) => seconds ?? 0,
    describe: (lag) => `a replica is ${lag} behind`,
  }),
  slotRetainedBytes: defineServerLimit({
    defaults: { pause: 4 * GIB, abort: 16 * GIB },
    read: (readings) => readings.slots(),
    value: ({ retainedBytes }) => retainedBytes,
    describe: (retained, { slot }) => `replication slot ${slot} retains ${retained} of WAL`,
    finding: ({ endangered }) =>
      endangered && {
        act: 'abort',
        sentence: `replication slot ${endangered.slot} ${endangered.status === 'lost' ? 'has lost' : 'is about to lose'} WAL that it needs`,
      },
    advice: ({ endangered }) =>
      endangered?.status === 'lost'
        ? 'Drop the slot and rebuild its consumer'
        : 'Let the consumer of the slot catch up, or drop the slot',
    // PostgreSQL invalidates a slot at max_slot_wal_keep_size: half of it leaves time to react.
    tiers: (tiers, { keptAtMostBytes }) =>
      keptAtMostBytes === null || tiers.pause === null
        ? tiers
        : { ...tiers, pause: Math.min(tiers.pause, keptAtMostBytes / 2) },
  }),
  archiveBacklogFiles: defineServerLimit({
    defaults: { pause: 64, abort: 1024 },
    read: (readings) => readings.archive(),
    value: ({ files }) => files,
    describe: (_, { files }) => `${formatQuantity(files, 'WAL file waits', 'WAL files wait')} to be archived`,
    finding: ({ failing }) =>
      failing && {
        act: 'pause',
        sentence: `the archiver has been failing at ${failing.file} for ${formatDuration(failing.seconds)}`,
      },
    advice: () => 'Fix archive_command',
  }),
  oldestSnapshotSeconds: defineServerLimit({
    defaults: { pause: 1800 },
    read: (readings) => readings.oldestSnapshot(),
    value: ({ seconds }) => seconds,
    describe: (age, { holder }) => `${holder ?? 'nobody'} has held a snapshot for ${age}`,
    advice: () => 'End it',
  }),
  connectionsRatio: defineServerLimit({
    defaults: { pause: 0.9 },
    read: (readings) => readings.connections(),
    value: (used) => used,
    describe: (used) => `${used} of the connections are in use`,
  }),
  autovacuumSeconds: defineServerLimit({
    read: (readings) => readings.autovacuum(),
    value: ({ seconds }) => seconds,
    describe: (duration, { pid }) => `an autovacuum of the table (pid ${pid}) has been running for ${duration}`,
  }),
  walBytesPerSecond: defineServerLimit({
    read: (readings) => readings.walRate(),
    value: (rate) => rate,
    describe: (rate) => `the server writes ${rate} of WAL`,
  }),
  apiLatencyP95Seconds: defineLimit({
    read: (readings: ThrottleReadings) => readings.apiLatencyP95(),
    value: (latency) => latency,
    describe: (latency) => `the 95th percentile of the application’s request duration is ${latency}`,
  }),
} satisfies Record<LimitName, ThrottleLimit>

/** A limit that applies to each server. */
function defineServerLimit<T>(definition: LimitDefinition<T, ServerReadings>): ThrottleLimit {
  const limit = defineLimit(definition)
  return { ...limit, readNode: limit.read }
}

function defineLimit<T, From>(definition: LimitDefinition<T, From>) {
  return {
    defaults: { ...NO_TIERS, ...definition.defaults },
    essential: definition.essential ?? false,
    readNode: null,
    read(readings: From, tiers: LimitTiers): LimitReading {
      const source = definition.read(readings)
      const reading = mapReading(source, definition.value)
      if (!isKnown(source) || !isKnown(reading))
        return { reading, tiers, describe: (value) => value, finding: null, advice: DEFAULT_ADVICE }
      const known = source.value
      return {
        reading,
        tiers: definition.tiers?.(tiers, known) ?? tiers,
        describe: (formatted) => definition.describe(formatted, known),
        finding: definition.finding?.(known) ?? null,
        advice: definition.advice?.(known) ?? DEFAULT_ADVICE,
      }
    },
  }
}
