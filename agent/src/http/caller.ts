import type { Level } from '../contract/index.ts'

/** Who calls, as far as it is proven. */
export interface Caller {
  /** Login of a Grafana user, subject of a service account, or the name of a personal token. */
  readonly name: string
  readonly level: Level
  readonly via: 'grafana' | 'token'
  /** The caller is proven, and may act as far as the level goes. False: it may only read, as a viewer. */
  readonly mayAct: boolean
  /** Why it may not act, as a sentence that says what to do. */
  readonly why: string | null
}

const ORDER: readonly Level[] = ['viewer', 'editor', 'admin']

export function lowerLevel(one: Level, other: Level): Level {
  return ORDER.indexOf(one) < ORDER.indexOf(other) ? one : other
}

export function reaches(level: Level, needed: Level): boolean {
  return ORDER.indexOf(level) >= ORDER.indexOf(needed)
}
