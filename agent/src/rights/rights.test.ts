import { expect, test } from 'vitest'
import { Action, AccessLevel } from '../contract/index.ts'
import type { Caller } from './caller.ts'
import { rightRefusal, RIGHT_LEVELS, type Right } from './rights.ts'

const callerWith = (level: AccessLevel, mayAct = true): Caller => ({
  name: 'ann',
  level,
  via: 'grafana',
  mayAct,
  why: mayAct ? null : 'log in first',
})
const defaultRights = { rights: {} }
const ADMIN_ONLY: readonly Right[] = [
  'rollback-data',
  'rollback-system',
  'rollback-monitoring',
  'force',
  'accept-failed-rows',
  'accept-check',
  'adopt',
  'import-baseline',
  'prepare-column-drop',
  'remove-archive',
]

test('viewers read, editors act, and only admins roll back data, force, accept lost rows, adopt, import baselines, and prepare the column drop', () => {
  const rights = Object.keys(RIGHT_LEVELS) as Right[]
  expect(new Set(rights)).toEqual(new Set(['read', 'force', ...Action.options]))
  for (const right of rights) {
    expect(rightRefusal(callerWith('admin'), right, defaultRights)).toBeNull()
    expect(rightRefusal(callerWith('editor'), right, defaultRights) === null).toBe(!ADMIN_ONLY.includes(right))
    expect(rightRefusal(callerWith('viewer'), right, defaultRights) === null).toBe(right === 'read')
  }
})

test('an unverified caller may only read, whatever its level', () => {
  for (const right of Object.keys(RIGHT_LEVELS) as Right[])
    expect(rightRefusal(callerWith('admin', false), right, defaultRights)).toBe(
      right === 'read' ? null : 'log in first',
    )
})

test('the configuration can raise the level of a right but not lower it', () => {
  const config = { rights: { enable: 'admin', 'rollback-data': 'viewer' } as const }
  expect(rightRefusal(callerWith('editor'), 'enable', config)).toBe(
    'This requires the level admin; ann has the level editor.',
  )
  expect(rightRefusal(callerWith('editor'), 'disable', config)).toBeNull()
  expect(rightRefusal(callerWith('editor'), 'rollback-data', config)).toMatch(/admin/)
})
