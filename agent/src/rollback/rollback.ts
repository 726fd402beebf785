import { setTimeout as delay } from 'node:timers/promises'
import { RollbackParameters } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { DdlStopped, runDdl } from '../engine/ddl.ts'
import { OperationFailure } from '../engine/errors.ts'
import type { Facts, JournaledChange } from '../engine/facts.ts'
import type { Kind, Outcome, Run } from '../engine/kind.ts'
import { takeLane } from '../engine/lane.ts'
import { createRate } from '../engine/rate.ts'
import { throttle } from '../engine/throttle.ts'
import { archiveInexpressible } from './archive.ts'
import { clearColumn } from './clear.ts'

/** Rows per second that a preview assumes before anything was measured here. */
const ASSUMED_RATE = 50_000
/** How long the clients of the flag get to see it off. */
const CLIENTS_SECONDS = 60

/** The rollback of the data. (The flag's own rollback waits for nothing and is not run from here: http/operations.ts.) */
export const rollback: Kind = {
  kind: 'rollback',
  writesTable: true,
  refusals(facts) {
    return [
      ...facts.faults,
      ...(facts.table !== null && facts.table.discriminator === null && facts.changes.length === 0
        ? ['There is nothing to take back.']
        : []),
      ...staleClients(facts),
    ]
  },
  async preview({ rollout, table, facts }, parameters) {
    const { full } = RollbackParameters.parse(parameters)
    const ours = columnIsOurs(facts)
    const rows = Math.round(table.estimatedRows ?? 0)
    const differing = facts.validation?.checks.find((one) => one.check === 'type-matches-legacy')?.discrepancies ?? null
    return {
      rows: ours ? 0 : rows,
      estimatedSeconds: Math.max(1, rows / 500_000) + (ours ? 1 : rows / ASSUMED_RATE),
      estimatedWalBytes: ours ? 65_536 : rows * 400,
      statements: toRevert(facts, full).map((change) => change.inverse),
      notes: [
        ...(facts.flag.enabled ? ['Turns the flag off first, and waits until every client has seen it.'] : []),
        ours
          ? `Drops column ${rollout.discriminator.sql}, which is instant.`
          : `Clears column ${rollout.discriminator.sql} in batches: it was there before.`,
        differing === null
          ? 'No validation has counted the values that legacy columns cannot express; whatever there are, they are archived.'
          : `${differing} values that legacy columns cannot express are archived (as the last validation counted).`,
        'Legacy columns are not touched.',
      ],
    }
  },
  run: runDataRollback,
}

export function columnIsOurs(facts: Facts): boolean {
  return facts.changes.some((change) => change.kind === 'column')
}

function staleClients({ flag }: Facts): string[] {
  if (flag.enabled) return []
  const stale = flag.clients.filter((client) => client.stale).map((client) => client.client)
  return stale.length === 0
    ? []
    : [
        `These clients may still read by type: ${stale.join(', ')}. Wait until they have asked for the flag, or accept each by name.`,
      ]
}

async function runDataRollback(run: Run): Promise<Outcome> {
  const { rollout, database, operation } = run
  const { full } = RollbackParameters.parse(run.parameters())
  if (!(await flagSeenOff(run))) return { outcome: 'stopped' }
  const facts = await run.facts()
  const table = facts.table!
  const sql = database.engine({ purpose: 'rollback', searchPath: rollout.searchPath, statementTimeoutMs: 30_000 })
  const goOn = async (): Promise<boolean> => {
    for (;;) {
      if (run.asked() !== 'go-on') return false
      const wait = throttle(run.pressure)
      if (wait === null) return true
      run.step(`waits: ${wait.sentence}`)
      await delay(200)
    }
  }
  try {
    let archived = 0
    if (table.discriminator !== null) {
      run.step('archiving what legacy columns cannot express')
      const count = await archiveInexpressible({
        sql,
        rollout,
        walked: { table: rollout.table, key: table.key },
        operationId: operation.id,
        goOn,
      })
      if (count === null) return { outcome: 'stopped' }
      archived = count
    }
    const reverting = toRevert(facts, full)
    run.step('taking back what expand and finalize did')
    // The trigger and the column go together: without the trigger the application would fail on our constraint.
    if (reverting.length > 0) await revert(run, sql, reverting)
    let cleared = 0
    if (!columnIsOurs(facts) && table.discriminator !== null) {
      const rows = await clear(run, sql, facts, goOn)
      if (rows === null) return { outcome: 'stopped' }
      cleared = rows
    }
    await database.state`update sti.failed_row set recovered_at = clock_timestamp() where rollout = ${rollout.name} and recovered_at is null`
    return {
      outcome: 'succeeded',
      result: { archivedValues: archived, clearedRows: cleared, reverted: reverting.map((change) => change.object) },
    }
  } catch (error) {
    if (error instanceof DdlStopped) return { outcome: 'stopped' }
    throw error
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Turns the flag off and waits for its clients; false when it was asked to stop. */
async function flagSeenOff(run: Run): Promise<boolean> {
  const before = await run.facts()
  if (before.flag.enabled) await run.turnFlagOff(`rollback ${run.operation.id} of the data`)
  run.step('waiting until every client has seen the flag off')
  const until = Date.now() + CLIENTS_SECONDS * 1000
  for (;;) {
    if (run.asked() !== 'go-on') return false
    const { flag } = await run.facts()
    if (flag.persisted && !flag.enabled && flag.consistent) return true
    if (Date.now() > until) {
      const stale = flag.clients.filter((client) => client.stale).map((client) => client.client)
      throw new OperationFailure(
        'stale-clients',
        stale.length > 0
          ? `The flag is off, but these clients have not asked for it since: ${stale.join(', ')}. Stop them or accept each by name, then roll back again.`
          : 'The flag is off in memory only, the database has not confirmed it: look at its health, then roll back again.',
      )
    }
    await delay(500)
  }
}

/** In reverse order of their making. Without `full` only what must go for the data's sake. */
function toRevert(facts: Facts, full: boolean): JournaledChange[] {
  const kinds = new Set([
    'trigger',
    'function',
    'constraint',
    'not-null',
    'column',
    ...(full || columnIsOurs(facts) ? ['index'] : []),
  ])
  return facts.changes.filter((change) => kinds.has(change.kind)).reverse()
}

async function revert(run: Run, sql: Sql, changes: readonly JournaledChange[]): Promise<void> {
  const ids = changes.map((change) => change.id).join(', ')
  await runDdl(run, sql, {
    what: 'taking back what expand and finalize did',
    steps: [
      ...changes.map((change) => change.inverse),
      `update sti.change set reverted_at = clock_timestamp(), reverted_by = ${run.operation.id} where id in (${ids})`,
    ],
  })
  await run.event('ddl', 'taken back', {
    before: changes.map((change) => change.statement),
    after: changes.map((change) => change.inverse),
  })
}

async function clear(run: Run, sql: Sql, facts: Facts, goOn: () => Promise<boolean>): Promise<number | null> {
  const { rollout, operation, database } = run
  const table = facts.table!
  const lane = await takeLane(database.state, operation.id, 0, run.agent)
  const rate = createRate()
  const retries: Record<string, number> = {}
  let passed = Number(lane.passed_rows)
  let written = Number(lane.written_rows)
  run.step('clearing the column')
  const finished = await clearColumn({
    ...{ sql, rollout, lane, goOn, walked: { table: rollout.table, key: table.key } },
    retried: (sqlstate) => {
      retries[sqlstate] = (retries[sqlstate] ?? 0) + 1
    },
    cleared(rows, walkedRows, seconds) {
      passed += walkedRows
      written += rows
      rate.add(walkedRows)
      const total = Math.max(passed, Math.round(table.estimatedRows ?? 0))
      const speed = rate.perSecond()
      run.progress({
        ...{ processedRows: passed, writtenRows: written, failedRows: 0, totalRows: total },
        ratio: total === passed ? 1 : Math.floor((passed / total) * 10_000) / 10_000,
        ...{ rowsPerSecond: speed, remainingSeconds: speed ? (total - passed) / speed : null },
        ...{ batchRows: walkedRows, batchSeconds: seconds, throttled: null, retries: { ...retries } },
      })
    },
  })
  return finished ? written : null
}
