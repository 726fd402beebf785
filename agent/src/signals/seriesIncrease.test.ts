import { expect, test } from 'vitest'
import { computeIncreases } from './seriesIncrease.ts'

const scrape = (at: number, values: Record<string, number>) => ({
  at,
  samples: Object.entries(values).map(([status, value]) => ({ name: 'n', labels: { status }, value })),
})

test('after a restart, counting starts at zero, and the first error of a process is not lost', () => {
  const scrapes = [
    scrape(0, { 200: 100 }),
    scrape(5, { 200: 130, 500: 2 }),
    scrape(10, { 200: 7 }),
    scrape(15, { 200: 9 }),
  ]
  expect(computeIncreases(scrapes).map(({ labels, increase }) => [labels['status'], increase])).toEqual([
    ['200', 30 + 7 + 2],
    ['500', 2],
  ])
})
