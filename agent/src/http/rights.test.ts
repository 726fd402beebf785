import { expect, test } from 'vitest'
import { Action, Level } from '../contract/index.ts'
import type { Caller } from './caller.ts'
import { mayDo, RIGHTS, type Right } from './rights.ts'

const caller = (level: Level, mayAct = true): Caller => ({
  name: 'ann',
  level,
  via: 'grafana',
  mayAct,
  why: mayAct ? null : 'log in first',
})
const standard = { rights: {} }
const ADMIN_ONLY: readonly Right[] = [
  'rollback-data',
  'rollback-system',
  'rollback-monitoring',
  'force',
  'accept-failed-rows',
  'adopt',
  'import-baseline',
  'prepare-column-drop',
  'remove-archive',
]

test('viewers read, editors act, and only admins take data back, force, accept lost rows, adopt, import baselines and prepare the column drop', () => {
  const rights = Object.keys(RIGHTS) as Right[]
  expect(new Set(rights)).toEqual(new Set(['read', 'force', ...Action.options]))
  for (const right of rights) {
    expect(mayDo(caller('admin'), right, standard)).toBeNull()
    expect(mayDo(caller('editor'), right, standard) === null).toBe(!ADMIN_ONLY.includes(right))
    expect(mayDo(caller('viewer'), right, standard) === null).toBe(right === 'read')
  }
})

test('a caller that is not proven may read and nothing else, whatever its level', () => {
  for (const right of Object.keys(RIGHTS) as Right[])
    expect(mayDo(caller('admin', false), right, standard)).toBe(right === 'read' ? null : 'log in first')
})

test('the configuration raises a right and never lowers one', () => {
  const config = { rights: { enable: 'admin', 'rollback-data': 'viewer' } as const }
  expect(mayDo(caller('editor'), 'enable', config)).toBe('This needs the level admin; ann has the level editor.')
  expect(mayDo(caller('editor'), 'disable', config)).toBeNull()
  expect(mayDo(caller('editor'), 'rollback-data', config)).toMatch(/admin/)
})
