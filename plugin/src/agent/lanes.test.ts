import { expect, test } from 'vitest'
import { createLanes } from './lanes'

test('so many run at a time, in order, also after one that fails', async () => {
  const inLane = createLanes(2)
  const ends = new Map<string, () => void>()
  const started: string[] = []
  const run = (name: string, fails = false) =>
    inLane(async () => {
      started.push(name)
      await new Promise<void>((end) => ends.set(name, end))
      if (fails) throw new Error(name)
    })
  const works = [run('a', true), run('b'), run('c'), run('d')]
  await Promise.resolve()
  expect(started).toEqual(['a', 'b'])
  ends.get('a')?.()
  await expect(works[0]).rejects.toThrow('a')
  expect(started).toEqual(['a', 'b', 'c'])
  ends.get('c')?.()
  await works[2]
  expect(started).toEqual(['a', 'b', 'c', 'd'])
  ends.get('b')?.()
  ends.get('d')?.()
  await Promise.all(works.slice(1))
})
