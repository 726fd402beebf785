/** Why to wait: a short code for series and a sentence for people; null means go on. */
export type Throttle = { readonly reason: string; readonly sentence: string } | null

/** What the throttle looks at. `unknown` says why a signal cannot be read: then we wait as well. */
export interface Pressure {
  lockWaiters(): { value: number } | { unknown: string }
  /** Of the replica that is furthest behind; 0 where there never was a replica. */
  replicationLag(): { value: { bytes: number; seconds: number } } | { unknown: string }
}

export interface ThrottleLimits {
  readonly lockWaiters: number
  readonly replicationLagBytes: number
  readonly replicationLagSeconds: number
}

export const THROTTLE_LIMITS: ThrottleLimits = {
  lockWaiters: 0,
  replicationLagBytes: 64 * 1024 * 1024,
  replicationLagSeconds: 10,
}

/** The first reason wins. */
export function throttle(pressure: Pressure, limits: ThrottleLimits = THROTTLE_LIMITS): Throttle {
  const waiters = pressure.lockWaiters()
  if ('unknown' in waiters)
    return { reason: 'lock-waiters-unknown', sentence: `lock waiters unknown: ${waiters.unknown}` }
  if (waiters.value > limits.lockWaiters) {
    return {
      reason: 'lock-waiters',
      sentence: `${waiters.value} session${waiters.value === 1 ? '' : 's'} waiting for our locks`,
    }
  }
  const lag = pressure.replicationLag()
  if ('unknown' in lag) return { reason: 'replication-unknown', sentence: `replication unknown: ${lag.unknown}` }
  if (lag.value.bytes > limits.replicationLagBytes) {
    return { reason: 'replication-lag', sentence: `a replica is ${Math.round(lag.value.bytes / 1048576)} MB behind` }
  }
  if (lag.value.seconds > limits.replicationLagSeconds) {
    return { reason: 'replication-lag', sentence: `a replica is ${Math.round(lag.value.seconds)} s behind` }
  }
  return null
}
