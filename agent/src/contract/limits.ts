import { z } from '@hono/zod-openapi'

const atLeast0 = z.number().min(0).max(Number.MAX_SAFE_INTEGER)
const none = z.literal('none')
const tier = z.union([atLeast0, none], 'must be a number from 0 on, or none')

const tiers = { pause: tier.optional(), abort: tier.optional() }

/** Whether no tier comes after a later one. */
const rises = (limit: unknown): boolean => {
  if (typeof limit !== 'object' || limit === null) return true
  const { pace, pause, abort } = limit as Record<string, unknown>
  const numbers = [pace, pause, abort].filter((value) => typeof value === 'number')
  return numbers.every((value, i) => i === 0 || value >= numbers[i - 1]!)
}
const ORDER = 'must rise: pace at most pause, pause at most abort'

const limit = (unit: string) =>
  z
    .union([atLeast0, none, z.strictObject(tiers)], 'must be a number from 0 on, none, or an object of pause and abort')
    .refine(rises, ORDER)
    .describe(`${unit}; a number is the one above which it waits, none switches it off`)

const pacedLimit = (unit: string) =>
  z
    .union(
      [atLeast0, none, z.strictObject({ pace: tier.optional(), ...tiers })],
      'must be a number from 0 on, none, or an object of pace, pause and abort',
    )
    .refine(rises, ORDER)
    .describe(`${unit}; above a number it rests more, above twice of it it waits, none switches it off`)

/**
 * Limits of the throttle. Above `pause` work waits, above `abort` it stops and stands until a person resumes it; above
 * `pace` it rests more between two batches.
 */
export const LIMIT_SCHEMAS = {
  lockWaiters: limit('sessions that wait for a lock of ours'),
  replicationLagBytes: limit('bytes that the replica furthest behind has not replayed'),
  replicationLagSeconds: limit('seconds that the replica furthest behind is late'),
  slotRetainedBytes: limit('bytes of WAL that a replication slot keeps'),
  archiveBacklogFiles: limit('WAL files that wait to be archived'),
  oldestSnapshotSeconds: limit('seconds that the oldest snapshot of others has kept row versions from being pruned'),
  connectionsRatio: limit('client connections / max_connections'),
  autovacuumSeconds: limit('seconds that an autovacuum of the table has run'),
  walBytesPerSecond: pacedLimit('bytes of WAL per second of the whole server'),
  apiLatencyP95Seconds: pacedLimit('95th percentile of the time of a request of the application, in seconds'),
} as const

/** By the name of an entry of the rollout file's `signals`; its own `limit` is the one above which work waits. */
export const SignalLimits = z
  .record(z.string(), limit('the signal’s own unit'))
  .describe('by the name of an entry of signals')

export const Limits = z
  .strictObject({ ...LIMIT_SCHEMAS, signals: SignalLimits })
  .partial()
  .openapi('Limits')
export type Limits = z.infer<typeof Limits>

/** As a JSON merge patch: null takes an override back, so that the limit of the rollout file holds again. */
export const LimitsPatch = z
  .strictObject({
    ...(Object.fromEntries(Object.entries(LIMIT_SCHEMAS).map(([name, schema]) => [name, schema.nullable()])) as {
      [N in keyof typeof LIMIT_SCHEMAS]: z.ZodNullable<(typeof LIMIT_SCHEMAS)[N]>
    }),
    signals: z.record(z.string(), limit('the signal’s own unit').nullable()),
  })
  .partial()
  .openapi('LimitsPatch')
export type LimitsPatch = z.infer<typeof LimitsPatch>
