import { z } from '@hono/zod-openapi'

const atLeast0 = z.number().min(0).max(Number.MAX_SAFE_INTEGER)
const tier = z.union([atLeast0, z.literal('none')])

const limit = (unit: string) =>
  z
    .union([tier, z.strictObject({ pause: tier.optional(), abort: tier.optional() })])
    .describe(`${unit}; a number is the one above which it waits, none switches it off`)

const pacedLimit = (unit: string) =>
  z
    .union([tier, z.strictObject({ pace: tier.optional(), pause: tier.optional(), abort: tier.optional() })])
    .describe(
      `${unit}; a number is the one above which it rests more, and above twice of which it waits; none switches it off`,
    )

/**
 * Limits of the throttle. Above `pause` work waits, above `abort` it stops and stands until a person resumes it; above
 * `pace` it rests more between two batches.
 */
export const LIMITS = {
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
  .strictObject({ ...LIMITS, signals: SignalLimits })
  .partial()
  .openapi('Limits')
export type Limits = z.infer<typeof Limits>

/** As a JSON merge patch: null takes an override back, so that the limit of the rollout file holds again. */
export const LimitsPatch = z
  .strictObject({
    ...(Object.fromEntries(Object.entries(LIMITS).map(([name, schema]) => [name, schema.nullable()])) as {
      [N in keyof typeof LIMITS]: z.ZodNullable<(typeof LIMITS)[N]>
    }),
    signals: SignalLimits.nullable(),
  })
  .partial()
  .openapi('LimitsPatch')
