import { expect, test } from 'vitest'
import { nextRange } from '../../agent/src/engine/range.ts'
import { withLane } from './lane.ts'

test('rows of an answer that a dying connection cut off are not read as the next answer', async () => {
  await withLane(100, async ({ engine, target }) => {
    let lost = 0
    for (let attempt = 0; attempt < 10; attempt++) {
      await nextRange(engine, target.walked, null, null, 10)
      // This answer's row arrives, its end does not.
      await engine`select pg_terminate_backend(pg_backend_pid()), null as last`.catch(() => undefined)
      for (let again = 0; again < 3; again++) {
        const range = await nextRange(engine, target.walked, null, null, 10).catch(() => lost++)
        if (typeof range === 'object') expect(range).toEqual({ low: null, high: ['10'], rows: 10 })
      }
    }
    expect(lost).toBeGreaterThan(0)
  })
})
