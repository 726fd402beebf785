import { expect } from 'vitest'
import { createPoll } from './poll.ts'
import { SignalUnknownError, type Reading } from './reading.ts'
import { waitForValue } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

test('a value outlives failures for three intervals, then it is unknown with its age; a certain reason applies immediately', async () => {
  let clock = 1_000_000
  let refresh: () => Promise<Reading<number>> = async () => ({ value: 1, at: clock })
  const reading = createPoll<Reading<number>>({
    intervalMs: 10,
    now: () => clock,
    refresh: () => refresh(),
    unknown: (sentence) => ({ unknown: sentence }),
  })
  expect(reading.read()).toEqual({ unknown: 'it has not been read yet' })
  reading.start()
  await waitForValue(reading.read, (read) => 'value' in read)
  let failed = 0
  refresh = async () => {
    failed++
    throw new Error('no route to host')
  }
  await waitForValue(
    () => failed,
    (count) => count > 1,
  )
  expect(reading.read()).toEqual({ value: 1, at: 1_000_000 })
  clock += 31
  expect(reading.read()).toEqual({ unknown: 'it was last read 0 s ago: no route to host' })

  refresh = async () => ({ value: 2, at: clock })
  await waitForValue(reading.read, (read) => 'value' in read)
  refresh = async () => {
    throw new SignalUnknownError('grant it')
  }
  expect(await waitForValue(reading.read, (read) => 'unknown' in read)).toEqual({ unknown: 'grant it' })
  reading.stop()
})

test('a refresh that ends after a stop and a restart neither counts nor starts a second chain', async () => {
  const pending: ((value: number) => void)[] = []
  const reading = createPoll<Reading<number>>({
    intervalMs: 1,
    maximumAgeMs: 60_000,
    now: Date.now,
    refresh: () => new Promise((resolve) => pending.push((value) => resolve({ value, at: 0 }))),
    unknown: (sentence) => ({ unknown: sentence }),
  })
  reading.start()
  reading.stop()
  reading.start()
  pending[0]!(1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(pending.length).toBe(2)
  expect('unknown' in reading.read()).toBe(true)
  pending[1]!(2)
  expect(await waitForValue(reading.read, (read) => 'value' in read)).toEqual({ value: 2, at: 0 })
  reading.stop()
})
