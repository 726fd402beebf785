import { z } from '@hono/zod-openapi'
import type { Unit } from '../format/format.ts'

/** A limit of the throttle as people and machines see it; throttle/limitTable.ts says how it is read and enforced. */
interface LimitDeclaration {
  /** The code of a wait: a label of `sti_backfill_throttled`. Limits of the same cause share one. */
  readonly reason: string
  readonly unit: Unit
  /** A paced limit has a third tier: above `pace` the work rests longer between two batches. */
  readonly paced: boolean
  /** A noun phrase that names the value and its unit. */
  readonly description: string
}

/** Every limit, in the order in which the first one exceeded is the reason that people see. */
export const LIMITS = {
  lockWaiters: {
    reason: 'lock-waiters',
    unit: 'count',
    paced: false,
    description: 'sessions that wait for a lock held by STI',
  },
  replicationLagBytes: {
    reason: 'replication-lag',
    unit: 'bytes',
    paced: false,
    description: 'bytes of WAL that the replica furthest behind has not replayed',
  },
  replicationLagSeconds: {
    reason: 'replication-lag',
    unit: 'seconds',
    paced: false,
    description: 'replay lag, in seconds, of the replica furthest behind',
  },
  slotRetainedBytes: {
    reason: 'slot-retention',
    unit: 'bytes',
    paced: false,
    description: 'bytes of WAL that a replication slot retains',
  },
  archiveBacklogFiles: {
    reason: 'archive-backlog',
    unit: 'count',
    paced: false,
    description: 'WAL files that wait to be archived',
  },
  oldestSnapshotSeconds: {
    reason: 'oldest-snapshot',
    unit: 'seconds',
    paced: false,
    description: 'age, in seconds, of the oldest snapshot of another session, which keeps dead rows from being removed',
  },
  connectionsRatio: {
    reason: 'connections',
    unit: 'ratio',
    paced: false,
    description: 'client connections / max_connections',
  },
  autovacuumSeconds: {
    reason: 'autovacuum',
    unit: 'seconds',
    paced: false,
    description: 'seconds that an autovacuum of the table has been running',
  },
  walBytesPerSecond: {
    reason: 'wal-rate',
    unit: 'bytesPerSecond',
    paced: true,
    description: 'bytes of WAL per second, written by the whole server',
  },
  apiLatencyP95Seconds: {
    reason: 'api-latency',
    unit: 'seconds',
    paced: true,
    description: '95th percentile, in seconds, of the duration of an application request',
  },
} as const satisfies Record<string, LimitDeclaration>

export type LimitName = keyof typeof LIMITS
export const LIMIT_NAMES = Object.keys(LIMITS) as LimitName[]

type LimitReason = (typeof LIMITS)[LimitName]['reason']

/** Every value of the label `reason`: those of the limits, a custom signal, a signal that cannot be read, and the rest. */
export const THROTTLE_REASONS = [
  ...new Set<LimitReason>(LIMIT_NAMES.map((name) => LIMITS[name].reason)),
  'signal' as const,
  'unknown-signal' as const,
  'other' as const,
]
export type ThrottleReason = (typeof THROTTLE_REASONS)[number]

/** Where a paced limit is one number, work slows down above it, and waits above this many times it. */
export const PAUSE_TO_PACE_RATIO = 2

const atLeast0 = z.number().min(0).max(Number.MAX_SAFE_INTEGER)
const none = z.literal('none')
const tier = z.union([atLeast0, none], 'must be a number of 0 or more, or none')

const tiers = { pause: tier.optional(), abort: tier.optional() }

/** True if no tier is above a later one. */
const rises = (limit: unknown): boolean => {
  if (typeof limit !== 'object' || limit === null) return true
  const { pace, pause, abort } = limit as Record<string, unknown>
  const numbers = [pace, pause, abort].filter((value) => typeof value === 'number')
  return numbers.every((value, i) => i === 0 || value >= numbers[i - 1]!)
}
const ORDER = 'must rise: pace at most pause, pause at most abort'

const limitSchema = (description: string) =>
  z
    .union(
      [atLeast0, none, z.strictObject(tiers)],
      'must be a number of 0 or more, none, or an object of pause and abort',
    )
    .refine(rises, ORDER)
    .describe(`${description}; work waits above the number, none turns the limit off`)

const pacedLimitSchema = (description: string) =>
  z
    .union(
      [atLeast0, none, z.strictObject({ pace: tier.optional(), ...tiers })],
      'must be a number of 0 or more, none, or an object of pace, pause and abort',
    )
    .refine(rises, ORDER)
    .describe(
      `${description}; work slows down above the number and waits above ${PAUSE_TO_PACE_RATIO} times the number, none turns the limit off`,
    )

type LimitSchema<N extends LimitName> = (typeof LIMITS)[N]['paced'] extends true
  ? ReturnType<typeof pacedLimitSchema>
  : ReturnType<typeof limitSchema>

/** The schema of each limit by its name, for the rollout file and for an operation's own limits. */
export const LIMIT_SCHEMAS = Object.fromEntries(
  LIMIT_NAMES.map((name) => {
    const { paced, description } = LIMITS[name]
    return [name, paced ? pacedLimitSchema(description) : limitSchema(description)]
  }),
) as { readonly [N in LimitName]: LimitSchema<N> }

/** The limits of the rollout file's `signals`, by name; a signal's own `limit` is the value above which work waits. */
export const SignalLimits = z
  .record(z.string(), limitSchema('value in the signal’s own unit'))
  .describe('limits by the name of an entry of signals')

export const Limits = z
  .strictObject({ ...LIMIT_SCHEMAS, signals: SignalLimits })
  .partial()
  .openapi('Limits')
export type Limits = z.infer<typeof Limits>

/** A JSON merge patch: null removes an override, so that the limit of the rollout file applies again. */
export const LimitsPatch = z
  .strictObject({
    ...(Object.fromEntries(Object.entries(LIMIT_SCHEMAS).map(([name, schema]) => [name, schema.nullable()])) as {
      [N in LimitName]: z.ZodNullable<LimitSchema<N>>
    }),
    signals: z.record(z.string(), limitSchema('value in the signal’s own unit').nullable()),
  })
  .partial()
  .openapi('LimitsPatch')
export type LimitsPatch = z.infer<typeof LimitsPatch>
