import type { Action, Level } from '../contract/index.ts'
import { reaches, type Caller } from './caller.ts'

export type Right = 'read' | Action | 'force'

/** The level that each right needs. STI_RIGHTS may raise one of them, never lower it. */
export const RIGHTS = {
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
} as const satisfies Record<Right, Level>

export type RaisedRights = Partial<Record<Right, Level>>

export function neededLevel(right: Right, config: { readonly rights: RaisedRights }): Level {
  const standard: Level = RIGHTS[right]
  const raised = config.rights[right]
  return raised && reaches(raised, standard) ? raised : standard
}

/** Null when the caller has the right, else the sentence of the refusal. */
export function mayDo(caller: Caller, right: Right, config: { readonly rights: RaisedRights }): string | null {
  if (right !== 'read' && !caller.mayAct) return caller.why ?? 'This caller may only read.'
  const needed = neededLevel(right, config)
  if (reaches(caller.level, needed)) return null
  return `This needs the level ${needed}; ${caller.name} has the level ${caller.level}.`
}
