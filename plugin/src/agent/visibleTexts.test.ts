import { expect, test } from 'vitest'
import { toAgentError } from './AgentError'
import { fromVisibleTexts, toVisibleTexts } from './visibleTexts'

const answer = {
  failedRows: [{ key: ['\u202e7', 'a\u001b[31m\u0000b'], message: 'first\nsecond', attempts: 2, accepted: null }],
  labels: { 'a\u2066': '<b>' },
}

test('an answer has nothing hidden, and what names a row is sent back as it was', () => {
  const visible = toVisibleTexts(answer)
  expect(visible).toEqual({
    failedRows: [
      { key: ['<U+202E>7', 'a<U+001B>[31m<U+0000>b'], message: 'first\nsecond', attempts: 2, accepted: null },
    ],
    labels: { 'a<U+2066>': '<b>' },
  })
  expect(fromVisibleTexts(visible)).toEqual(answer)
})

test('a refusal has nothing hidden', () => {
  const problem = { code: 'refused', detail: 'The key \u202e7 is held.', reasons: ['by \u001b]0;x\u0007'] }
  expect(toAgentError({ status: 409, data: problem }, 'STI staging', 3000)).toMatchObject({
    message: 'The key <U+202E>7 is held.',
    reasons: ['by <U+001B>]0;x<U+0007>'],
  })
  expect(toAgentError({ status: 500, data: 'x\u202ey' }, 'STI staging', 3000).message).toContain('x<U+202E>y')
})
