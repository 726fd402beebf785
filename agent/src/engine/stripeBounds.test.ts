import { expect, test } from 'vitest'
import { FIRST_STRIPE_SHARE, MAX_ONE_BYTE_LINE_POINTER, computeStripeBounds } from './stripeBounds.ts'

/** Number of line pointers, of 1 to `lines`, that each stripe writes. */
function takenPerStripe(lines: number, stripes: readonly number[]): number[] {
  const left = new Set(Array.from({ length: lines }, (_, index) => index + 1))
  return stripes.map((bound) => {
    const own = [...left].filter(
      (line) => (stripes.at(-1)! > MAX_ONE_BYTE_LINE_POINTER ? line : line & MAX_ONE_BYTE_LINE_POINTER) <= bound,
    )
    own.forEach((line) => left.delete(line))
    return own.length
  })
}

test('stripes write each row of a page once, within their limit, and their bounds ascend', () => {
  for (const lines of [1, 2, 3, 7, 30, 60, 61, 100, 200, 226, 254, 255, 256, 257, 291]) {
    for (const rows of [0.01, 0.5, 1, lines / 3, lines - 1, lines]) {
      for (const most of [1, 2, 3, 10, 59, 60, 100, 1_000]) {
        for (const striped of [true, false]) {
          const stripes = computeStripeBounds({ rows, lastLinePointer: lines }, most, striped ? FIRST_STRIPE_SHARE : 1)
          const found = { lines, rows, most, striped, stripes }
          const each = takenPerStripe(lines, stripes)
          if (each.reduce((sum, size) => sum + size, 0) !== lines) expect(found).toBe('every row')
          if (Math.max(...each) > most) expect(found).toBe('small enough')
          if (stripes.some((bound, index) => bound <= (stripes[index - 1] ?? 0))) expect(found).toBe('ascending')
          if (!striped && most >= lines && stripes.length !== 1) expect(found).toBe('one')
        }
      }
    }
  }
})
