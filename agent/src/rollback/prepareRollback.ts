import { createLockWaitReporter } from '../engine/lockWaitReporter.ts'
import type { Sql } from '../database/connect.ts'
import { createSingleWorkerGate } from '../throttle/throttleGate.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { RunContext } from '../kind/kind.ts'
import type { KeyedTable } from '../engine/keyRange.ts'
import { createThroughputMeter } from '../engine/throughput.ts'
import { rowProgress } from '../engine/rowProgress.ts'
import { requireTable } from '../kind/requireTable.ts'
import type { Table } from '../rollout/rollout.ts'
import { archiveInexpressibleValues } from './archiveValues.ts'
import { turnFlagOffAndWait } from './waitForClients.ts'
import { columnCreatedBySti, mustClearColumn } from './revertChanges.ts'

export interface RollbackPreparation {
  readonly facts: RolloutFacts
  readonly table: Table
  readonly archivedValues: number
  readonly archiveSeconds: number
}

/**
 * Turns the flag off, waits until every client has received the change, and archives the types that legacy columns
 * cannot express. After that, the column may be dropped or cleared. Null: stopped on request.
 */
export async function prepareRollback(run: RunContext, sql: Sql): Promise<RollbackPreparation | null> {
  const { rollout, operation } = run
  if (!(await turnFlagOffAndWait(run))) return null
  await run.failpoint('rollback.seen-off')
  const facts = await run.readFacts()
  const table = requireTable(facts)
  const walked: KeyedTable = { table: rollout.table, key: table.key }
  const step = 'archiving types that legacy columns cannot express'
  const mayContinue = createSingleWorkerGate(run, step)
  const startedAt = performance.now()
  const archivedValues =
    table.discriminator === null || !(columnCreatedBySti(facts) || mustClearColumn(facts))
      ? 0
      : await archiveInexpressibleValues({
          sql,
          rollout,
          walked,
          operationId: operation.id,
          prefilled: facts.activePrefill,
          lockWaits: createLockWaitReporter(run, step),
          async mayContinue() {
            await run.failpoint('rollback.archive')
            return await mayContinue()
          },
          passed: createArchiveProgressReporter(run, table),
        })
  if (archivedValues === null) return null
  await run.failpoint('rollback.archived')
  return { facts, table, archivedValues, archiveSeconds: (performance.now() - startedAt) / 1000 }
}

function createArchiveProgressReporter(run: RunContext, table: Table): (rows: number) => void {
  const rate = createThroughputMeter()
  let passed = 0
  return (rows) => {
    passed += rows
    rate.add(rows)
    const { estimatedRows: estimated } = table
    run.reportProgress(rowProgress({ passed, estimated, perSecond: rate.perSecond(), batchRows: rows }))
  }
}
