import type { FlagStatus } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { nextActionOfTables } from './nextAction'

const OFF = { enabled: false, percentage: 100 } as FlagStatus
const ON = { enabled: true, percentage: 100 } as FlagStatus

test.each([
  [{}, 0, OFF, 'expand'],
  [{ covered: 999, 'rolled-back': 1 }, 1000, OFF, 'expand'],
  [{ covered: 9, expanded: 1 }, 10, OFF, 'backfill'],
  [{ covered: 1, finalized: 9 }, 10, OFF, 'validation'],
  [{ verified: 1, finalized: 9 }, 10, OFF, 'finalize'],
  [{ finalized: 10 }, 10, OFF, 'enable'],
  [{ finalized: 10 }, 10, ON, null],
])('tables at %o: the step of the one that is furthest behind', (stages, total, flag, next) => {
  expect(nextActionOfTables({ stages, total, flag })).toBe(next)
})
