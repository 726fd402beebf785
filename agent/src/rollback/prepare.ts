import type { Sql } from '../database/connect.ts'
import { createGoOn } from '../engine/goOn.ts'
import type { Facts } from '../engine/facts.ts'
import type { Run } from '../engine/kind.ts'
import type { Walked } from '../engine/range.ts'
import { createRate } from '../engine/rate.ts'
import { rowProgress } from '../engine/rowProgress.ts'
import { demandTable } from '../engine/table.ts'
import type { Table } from '../rollout/rollout.ts'
import { archiveInexpressible } from './archive.ts'
import { flagSeenOff } from './clients.ts'
import { columnIsOurs, mustClear } from './revert.ts'

export interface Prepared {
  readonly facts: Facts
  readonly table: Table
  readonly archivedValues: number
  readonly archiveSeconds: number
}

/**
 * The flag is off and seen off, and what legacy columns cannot express is in the archive: from here the column may go.
 * Null: it was asked to stop.
 */
export async function prepare(run: Run, sql: Sql): Promise<Prepared | null> {
  const { rollout, operation } = run
  if (!(await flagSeenOff(run))) return null
  await run.reached('rollback.seen-off')
  const facts = await run.facts()
  const table = demandTable(facts)
  const walked: Walked = { table: rollout.table, key: table.key }
  const step = 'archiving what legacy columns cannot express'
  const goOn = createGoOn(run, (wait) => run.step(wait === null ? step : `waits: ${wait.sentence}`))
  const began = performance.now()
  const archivedValues =
    table.discriminator === null || !(columnIsOurs(facts) || mustClear(facts))
      ? 0
      : await archiveInexpressible({
          sql,
          rollout,
          walked,
          operationId: operation.id,
          prefilled: facts.prefilled,
          async goOn() {
            await run.reached('rollback.archive')
            return await goOn()
          },
          passed: progressOf(run, table),
        })
  if (archivedValues === null) return null
  await run.reached('rollback.archived')
  return { facts, table, archivedValues, archiveSeconds: (performance.now() - began) / 1000 }
}

function progressOf(run: Run, table: Table): (rows: number) => void {
  const rate = createRate()
  let passed = 0
  return (rows) => {
    passed += rows
    rate.add(rows)
    const { estimatedRows: estimated } = table
    run.progress(rowProgress({ passed, estimated, perSecond: rate.perSecond(), batchRows: rows }))
  }
}
