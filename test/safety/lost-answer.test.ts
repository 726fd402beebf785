import { expect, test } from 'vitest'
import { readNextRange } from '../../agent/src/engine/keyRange.ts'
import { withTestLane } from './testLane.ts'

test('a truncated result of a lost connection leaves nothing in the next result', async () => {
  await withTestLane(100, async ({ engine, walked }) => {
    const lost: unknown[] = []
    for (let attempt = 0; attempt < 5; attempt++) {
      await readNextRange(engine, walked, null, null, 10)
      // The row of this result arrives, but not its end.
      await engine`select pg_terminate_backend(pg_backend_pid())`.catch(() => undefined)
      for (let again = 0; again < 3; again++) {
        const ask = readNextRange(engine, walked, null, null, 10)
        const range = await ask.catch((error: { code: string }) => void lost.push(error.code))
        if (range !== undefined) expect(range).toEqual({ low: null, high: ['10'], rows: 10 })
      }
    }
    // The table walk repeats each statement.
    expect(lost).not.toEqual([])
    for (const code of lost) expect(['57P01', 'CONNECTION_CLOSED']).toContain(code)
  })
})
