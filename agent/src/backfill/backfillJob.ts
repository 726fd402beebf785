import { BackfillParameters, DEFAULT_MAXIMUM_BATCH_SECONDS } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import {
  lockTimeoutMs,
  type BulkUpdateHooks,
  type BulkUpdateJob,
  type BulkUpdateTuning,
} from '../engine/bulkUpdateJob.ts'
import { createHeldRowTracker } from '../engine/heldRows.ts'
import type { ColumnUpdate } from '../engine/columnUpdate.ts'
import type { RunContext } from '../kind/kind.ts'
import type { KeyColumn, Rollout, Table } from '../rollout/rollout.ts'
import { createThrottleGate } from '../throttle/throttleGate.ts'

/** The bulk update of a backfill, for the agent that holds the operation or for one that helps. */
export function createBackfillJob(run: RunContext, table: Table, hooks: BulkUpdateHooks): BulkUpdateJob {
  const { rollout } = run
  const parameters = createParametersReader(run)
  return {
    run,
    hooks,
    heldRows: createHeldRowTracker((held) => hooks.onHeldRows(held)),
    columnUpdate: discriminatorUpdate(
      rollout,
      table.key,
      table.citus && { nodes: table.citus.nodes, lockTimeoutMs: () => lockTimeoutMs(resolveTuning(parameters())) },
    ),
    secondaryIndexCount: table.secondaryIndexes.length,
    sweepOrder: rollout.file.dualWrite === 'trigger' ? 'heap' : 'key',
    gate: createThrottleGate(run, (wait) => hooks.onWait(wait)),
    connect: createConnector(run, table, () => lockTimeoutMs(resolveTuning(parameters()))),
    tuning: () => resolveTuning(parameters()),
    failpoints: {
      lanes: 'backfill.lanes',
      batch: 'backfill.batch',
      written: 'backfill.written',
      poison: 'backfill.poison',
      laneFinished: 'backfill.lane-finished',
    },
  }
}

/** Sets the discriminator of every row to the type that its legacy columns imply. */
export function discriminatorUpdate(
  rollout: Rollout,
  key: readonly KeyColumn[],
  inShards: ColumnUpdate['inShards'] = null,
): ColumnUpdate {
  const derived = rollout.derive('t')
  return {
    rollout: rollout.name,
    key,
    column: rollout.discriminator.sql,
    value: derived,
    needsUpdate: `t.${rollout.discriminator.sql} is distinct from ${derived}`,
    unmapped: rollout.mayBeUnmapped ? `${derived} is null` : null,
    inShards,
  }
}

/** With a rest ratio, batches are short by default: a request that meets one waits for 0.01 s at most. */
function resolveTuning(parameters: BackfillParameters): BulkUpdateTuning {
  const { withRest, withoutRest } = DEFAULT_MAXIMUM_BATCH_SECONDS
  const maximumBatchSeconds = parameters.maximumBatchSeconds ?? (parameters.niceRatio > 0 ? withRest : withoutRest)
  return { batchSize: undefined, ...parameters, maximumBatchSeconds }
}

/** Opens connections for the workers of a backfill. */
export function createConnector(
  { database, operation }: RunContext,
  { triggerSearchPath, citus }: Table,
  lockTimeout?: () => number,
): () => Sql {
  return () =>
    database.engine({
      purpose: `backfill ${operation.id}`,
      searchPath: triggerSearchPath,
      avoidSeqScan: true,
      inShards: citus !== null,
      statementTimeoutMs: 20_000,
      ...(lockTimeout === undefined ? {} : { lockTimeoutMs: lockTimeout() }),
    })
}

/** Reads the current parameters. Called several times per batch, so it parses them only after a change. */
export function createParametersReader(run: RunContext): () => BackfillParameters {
  let lastParameters = run.parameters()
  let parsed = BackfillParameters.parse(lastParameters)
  return () => {
    const current = run.parameters()
    if (current !== lastParameters) parsed = BackfillParameters.parse(current)
    lastParameters = current
    return parsed
  }
}
