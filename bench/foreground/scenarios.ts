import { setTimeout as delay } from 'node:timers/promises'
import type { Method } from '../method.ts'
import { engine } from '../methods/engine.ts'
import { ranges } from '../methods/ranges.ts'
import { singleUpdate } from '../methods/singleUpdate.ts'
import { ADD_COLUMN } from '../table.ts'
import { byHand } from '../methods/byHand.ts'
import { processor } from './processor.ts'

/** Seconds of the load without anything beside it. */
const ALONE_SECONDS = 30

export interface Scenario {
  readonly method: Method
  readonly title: string
  /** Without load it tells the speed that the others are compared with. */
  readonly load: boolean
}

/** In the order of a round. */
export function scenarios(workers: number, niceRatio: number, batchSeconds: number | null): Scenario[] {
  const nice = niceRatio === 0 ? '' : `, nice ratio ${niceRatio}`
  const share = processor(batchSeconds ?? (niceRatio > 0 ? 0.01 : 0.1), niceRatio, ALONE_SECONDS)
  return [
    { method: nothing, title: 'nothing beside it', load: true },
    { method: engine({ name: 'engine', workers, niceRatio, batchSeconds }), title: `the engine${nice}`, load: true },
    { method: share, title: 'its share of a processor, and nothing else', load: true },
    { method: singleUpdate, title: 'one UPDATE', load: true },
    { method: ranges(50_000), title: 'ranges of 50,000 rows', load: true },
    { method: engine({ name: 'engine-unthrottled', workers }), title: 'the engine alone', load: false },
  ]
}

const nothing: Method = {
  name: 'none',
  workers: 0,
  shares: 50,
  leaves: 'nothing',
  async run(url, timed) {
    await byHand(url, async (sql) => {
      await sql.unsafe(ADD_COLUMN)
      await timed(() => delay(ALONE_SECONDS * 1000))
    })
    return {}
  },
}
