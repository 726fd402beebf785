import { expect, test } from 'vitest'
import { readNextRange } from '../../agent/src/engine/keyRange.ts'
import { withTestLane } from './testLane.ts'

test('an answer that a dying connection cut off leaves nothing in the next one', async () => {
  await withTestLane(100, async ({ engine, walked }) => {
    const lost: unknown[] = []
    for (let attempt = 0; attempt < 5; attempt++) {
      await readNextRange(engine, walked, null, null, 10)
      // This answer's row arrives, its end does not.
      await engine`select pg_terminate_backend(pg_backend_pid())`.catch(() => undefined)
      for (let again = 0; again < 3; again++) {
        const ask = readNextRange(engine, walked, null, null, 10)
        const range = await ask.catch((error: { code: string }) => void lost.push(error.code))
        if (range !== undefined) expect(range).toEqual({ low: null, high: ['10'], rows: 10 })
      }
    }
    // Each of them is asked again by who walks.
    expect(new Set(lost)).toEqual(new Set(['57P01', 'CONNECTION_CLOSED']))
  })
})
