import { expect, test } from 'vitest'
import { judgeAlertPath } from './stagingItems.ts'

test.each([
  [{ seenAt: null, live: false }, 'unknown'],
  [{ seenAt: 0, live: true }, 'ready'],
  [{ seenAt: 0, live: false }, 'not-ready'],
])('an alert path with watchdog state %j is %s', (seen, state) => {
  const judged = judgeAlertPath({ alertPath: seen })
  expect(judged.state).toBe(state)
  expect(judged.next === null).toBe(state === 'ready')
})
