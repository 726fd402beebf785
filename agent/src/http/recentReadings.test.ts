import { expect, test } from 'vitest'
import { acceptedAgeSeconds, createRecentReadings } from './recentReadings.ts'

function countedReadings() {
  let [time, made] = [0, 0]
  const readings = createRecentReadings<number>(() => time)
  return {
    readings,
    wait: (ms: number) => (time += ms),
    read: (maxAgeSeconds: number, key = 'vehicles') => readings.read(key, maxAgeSeconds, () => Promise.resolve(++made)),
  }
}

test('a reading is made again once it is older than a request accepts, and for a request that accepts none', async () => {
  const { read, wait } = countedReadings()
  expect(await read(1)).toBe(1)
  wait(1_000)
  expect(await read(1)).toBe(1)
  expect(await read(1, 'orders')).toBe(2)
  wait(1)
  expect(await read(1)).toBe(3)
  expect(await read(0)).toBe(4)
  expect(await read(1)).toBe(4)
})

test('a change in the meantime makes the next reading a new one, also if a reading was being made', async () => {
  const { readings, read } = countedReadings()
  let finish = (value: number): void => void value
  const slow = readings.read('vehicles', 1, () => new Promise((resolve) => (finish = resolve)))
  const shared = read(1)
  readings.forget()
  finish(100)
  expect(await Promise.all([slow, shared])).toEqual([100, 100])
  expect(await read(1)).toBe(1)
})

test('a reading that failed is told to everybody who waits for it, and is not kept', async () => {
  const { readings, read } = countedReadings()
  const failing = () => readings.read('vehicles', 1, () => Promise.reject(new Error('no database')))
  await expect(Promise.all([failing(), failing()])).rejects.toThrow('no database')
  expect(await read(1)).toBe(1)
})

test.each([
  [undefined, 0],
  ['no-cache', 0],
  ['max-age=0', 0],
  ['max-age=2', 2],
  ['no-transform, Max-Age = "3"', 3],
  ['max-age=3600', 10],
  ['s-max-age=5', 0],
  ['max-age=-1', 0],
])('Cache-Control %j accepts an answer of %d s', (header, seconds) => {
  expect(acceptedAgeSeconds(header)).toBe(seconds)
})
