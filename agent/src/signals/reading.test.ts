import { expect, test } from 'vitest'
import { mapReading, requireNumber } from './reading.ts'

const known = <T>(value: unknown): { value: T; at: number } => ({ value: value as T, at: 1 })

test.each([undefined, null, 'x', {}, { seconds: 'x' }, { seconds: NaN }, { seconds: Infinity }, { seconds: null }])(
  'a value of the form %j is unknown, and neither an error nor a number below a limit',
  (value) => {
    const reading = mapReading(known<{ seconds: number }>(value), ({ seconds }) => seconds)
    expect(reading).toMatchObject({ unknown: expect.stringContaining('expected form') })
  },
)

test('a number stays what it is', () => {
  expect(mapReading(known<{ seconds: number }>({ seconds: 0 }), ({ seconds }) => seconds)).toEqual(known(0))
  expect(requireNumber(known('7'))).toHaveProperty('unknown')
  expect(requireNumber(known(7))).toEqual(known(7))
})
