import type { AccessLevel } from '../contract/index.ts'

/** The verified caller of a request. */
export interface Caller {
  /** Login of a Grafana user, subject of a service account, or the name of a personal token. */
  readonly name: string
  readonly level: AccessLevel
  readonly via: 'grafana' | 'token'
  /** True: the identity is verified, and the caller can act with its level. False: read-only access as a viewer. */
  readonly mayAct: boolean
  /** Why the caller cannot act, as a sentence that says what to do. */
  readonly why: string | null
}

const LEVELS_ASCENDING: readonly AccessLevel[] = ['viewer', 'editor', 'admin']

export function lowerLevel(left: AccessLevel, right: AccessLevel): AccessLevel {
  return LEVELS_ASCENDING.indexOf(left) < LEVELS_ASCENDING.indexOf(right) ? left : right
}

export function isAtLeast(level: AccessLevel, needed: AccessLevel): boolean {
  return LEVELS_ASCENDING.indexOf(level) >= LEVELS_ASCENDING.indexOf(needed)
}
