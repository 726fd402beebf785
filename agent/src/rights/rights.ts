import type { Action, AccessLevel } from '../contract/index.ts'
import { isAtLeast, type Caller } from './caller.ts'

export type Right = 'read' | Action | 'force'

/** The level that each right needs. STI_RIGHTS may raise one of them, never lower it. */
export const RIGHT_LEVELS = {
  read: 'viewer',
  expand: 'editor',
  baseline: 'editor',
  backfill: 'editor',
  validation: 'editor',
  finalize: 'editor',
  enable: 'editor',
  ramp: 'editor',
  disable: 'editor',
  'rollback-flag': 'editor',
  tune: 'editor',
  pause: 'editor',
  resume: 'editor',
  cancel: 'editor',
  'retry-failed-rows': 'editor',
  'accept-client': 'editor',
  monitoring: 'editor',
  promote: 'editor',
  rehearse: 'editor',
  attest: 'editor',
  'automatic-rollback': 'editor',
  acknowledge: 'editor',
  drill: 'editor',
  'rollback-monitoring': 'admin',
  'rollback-data': 'admin',
  'rollback-system': 'admin',
  force: 'admin',
  'accept-failed-rows': 'admin',
  adopt: 'admin',
  'prepare-column-drop': 'admin',
  'remove-archive': 'admin',
  'import-baseline': 'admin',
} as const satisfies Record<Right, AccessLevel>

export type RaisedRights = Partial<Record<Right, AccessLevel>>

export function requiredLevel(right: Right, config: { readonly rights: RaisedRights }): AccessLevel {
  const defaultLevel: AccessLevel = RIGHT_LEVELS[right]
  const raised = config.rights[right]
  return raised && isAtLeast(raised, defaultLevel) ? raised : defaultLevel
}

/** Null when the caller has the right, else the sentence of the refusal. */
export function rightRefusal(caller: Caller, right: Right, config: { readonly rights: RaisedRights }): string | null {
  if (right !== 'read' && !caller.mayAct) return caller.why ?? 'This caller may only read.'
  const needed = requiredLevel(right, config)
  if (isAtLeast(caller.level, needed)) return null
  return `This needs the level ${needed}; ${caller.name} has the level ${caller.level}.`
}
