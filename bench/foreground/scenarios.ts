import { setTimeout as delay } from 'node:timers/promises'
import type { Method } from '../method.ts'
import { engineBackfill } from '../methods/engineBackfill.ts'
import { keyRanges } from '../methods/keyRanges.ts'
import { singleUpdate } from '../methods/singleUpdate.ts'
import { ADD_COLUMN_SQL } from '../benchTable.ts'
import { withExplicitSql } from '../methods/explicitSql.ts'
import { cpuOnlyMethod } from './cpuOnlyMethod.ts'

/** Duration of the scenarios that write nothing. */
const IDLE_SCENARIO_SECONDS = 30

export interface Scenario {
  readonly method: Method
  readonly title: string
  /** False: measures the throughput that the others are compared with. */
  readonly load: boolean
}

/** The scenarios of a round, in order. */
export function scenarios(workers: number, niceRatio: number, batchSeconds: number | null): Scenario[] {
  const nice = niceRatio === 0 ? '' : `, nice ratio ${niceRatio}`
  const cpuOnly = cpuOnlyMethod(batchSeconds ?? (niceRatio > 0 ? 0.01 : 0.1), niceRatio, IDLE_SCENARIO_SECONDS)
  return [
    { method: idleMethod, title: 'no backfill', load: true },
    {
      method: engineBackfill({ name: 'engine', workers, niceRatio, batchSeconds }),
      title: `the engine${nice}`,
      load: true,
    },
    { method: cpuOnly, title: 'its share of a processor only', load: true },
    { method: singleUpdate, title: 'one UPDATE', load: true },
    { method: keyRanges(50_000), title: 'ranges of 50,000 rows', load: true },
    { method: engineBackfill({ name: 'engine-unthrottled', workers }), title: 'the engine without load', load: false },
  ]
}

const idleMethod: Method = {
  name: 'none',
  workers: 0,
  shares: 50,
  leaves: 'nothing',
  async run(url, timed) {
    await withExplicitSql(url, async (sql) => {
      await sql.unsafe(ADD_COLUMN_SQL)
      await timed(() => delay(IDLE_SCENARIO_SECONDS * 1000))
    })
    return {}
  },
}
