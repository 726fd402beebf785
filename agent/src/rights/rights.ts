import { ACTION_LEVELS, type AccessLevel, type Action } from '../contract/index.ts'
import { isAtLeast, type Caller } from './caller.ts'

export type Right = 'read' | Action | 'force'

/** The level that each right requires. STI_RIGHTS can raise a level, never lower it. */
export const RIGHT_LEVELS: Readonly<Record<Right, AccessLevel>> = {
  ...ACTION_LEVELS,
  read: 'viewer',
  force: 'admin',
}

export type RaisedRights = Partial<Record<Right, AccessLevel>>

export function requiredLevel(right: Right, config: { readonly rights: RaisedRights }): AccessLevel {
  const defaultLevel = RIGHT_LEVELS[right]
  const raised = config.rights[right]
  return raised && isAtLeast(raised, defaultLevel) ? raised : defaultLevel
}

/** Null if the caller has the right, else the sentence of the refusal. */
export function rightRefusal(caller: Caller, right: Right, config: { readonly rights: RaisedRights }): string | null {
  if (right !== 'read' && !caller.mayAct) return caller.why ?? 'This caller has read-only access.'
  const needed = requiredLevel(right, config)
  if (isAtLeast(caller.level, needed)) return null
  return `This requires the level ${needed}; ${caller.name} has the level ${caller.level}.`
}
