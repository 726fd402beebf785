import { expect, test, vi } from 'vitest'
import { createAnnotationAnswers } from './annotationAnswers'

const at = (seconds: number) => new Date(seconds * 1000)

test('an answer is reused for 15 s while the range moves on, and not for an earlier start or something else', async () => {
  let seconds = 100
  const answers = createAnnotationAnswers(() => seconds * 1000)
  const load = vi.fn(async () => load.mock.calls.length)
  expect(await answers.read('events', at(0), load)).toBe(1)
  seconds += 14
  expect(await answers.read('events', at(14), load)).toBe(1)
  expect(await answers.read('incidents', at(14), load)).toBe(2)
  seconds += 1
  expect(await answers.read('events', at(15), load)).toBe(3)
  expect(await answers.read('events', at(1), load)).toBe(4)
})

test('an answer that failed is asked for again', async () => {
  const answers = createAnnotationAnswers(() => 0)
  await expect(answers.read('events', at(0), () => Promise.reject(new Error('no agent')))).rejects.toThrow('no agent')
  expect(await answers.read('events', at(0), async () => 'fine')).toBe('fine')
})
