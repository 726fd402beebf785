import type { AccessLevel } from '../contract/index.ts'

/** Who calls, as far as it is proven. */
export interface Caller {
  /** Login of a Grafana user, subject of a service account, or the name of a personal token. */
  readonly name: string
  readonly level: AccessLevel
  readonly via: 'grafana' | 'token'
  /** The caller is proven, and may act as far as the level goes. False: it may only read, as a viewer. */
  readonly mayAct: boolean
  /** Why it may not act, as a sentence that says what to do. */
  readonly why: string | null
}

const LEVELS_ASCENDING: readonly AccessLevel[] = ['viewer', 'editor', 'admin']

export function lowerLevel(one: AccessLevel, other: AccessLevel): AccessLevel {
  return LEVELS_ASCENDING.indexOf(one) < LEVELS_ASCENDING.indexOf(other) ? one : other
}

export function isAtLeast(level: AccessLevel, needed: AccessLevel): boolean {
  return LEVELS_ASCENDING.indexOf(level) >= LEVELS_ASCENDING.indexOf(needed)
}
