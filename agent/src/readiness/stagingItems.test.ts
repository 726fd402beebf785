import { expect, test } from 'vitest'
import { createAlertWatchdog } from '../alert/watchdog.ts'
import { judgeAlertPath } from './stagingItems.ts'

const MINUTE_MS = 60_000

test.each([
  ['just after a start', 0, null, 'unknown', /has just started/],
  ['three minutes after a start', 3 * MINUTE_MS, null, 'unknown', /has just started/],
  ['later, without an alert', 4 * MINUTE_MS, null, 'unknown', /has not reached this agent since it started/],
  ['a minute after an alert', 2 * MINUTE_MS, 1 * MINUTE_MS, 'ready', /reached this agent at/],
  ['four minutes after an alert', 5 * MINUTE_MS, 1 * MINUTE_MS, 'not-ready', /has not reached this agent since/],
] as const)('the alert path %s', (_, now, heartbeatAt, state, sentence) => {
  let clock = 0
  const watchdog = createAlertWatchdog(() => clock)
  if (heartbeatAt !== null) {
    clock = heartbeatAt
    watchdog.recordHeartbeat()
  }
  clock = now
  const status = { seenAt: watchdog.lastSeenAt(), live: watchdog.isLive(), starting: watchdog.isStarting() }
  const judged = judgeAlertPath({ alertPath: status })
  expect(judged).toMatchObject({ state, sentence: expect.stringMatching(sentence) as string })
  expect(judged.next === null).toBe(state === 'ready')
})
