import {
  isEnded,
  type BackupStatus,
  type FlagStatus,
  type Operation,
  type PromotionGate,
  type RollbackScope,
} from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { endedStates } from '../database/endedStates.ts'
import type { RolloutFacts, JournaledChange } from '../kind/facts.ts'
import { classifyError, isConnectionError, errorMessage } from '../database/errors.ts'
import { readManifest } from '../columnDrop/archive/manifest.ts'
import { stalenessReason } from '../columnDrop/staleness.ts'
import { readColumnDropBrief } from '../columnDrop/store.ts'
import { readJournaledPrefill } from '../expand/addColumn.ts'
import { DERIVE_TRIGGER_NAME } from '../dualWrite/deriveTrigger.ts'
import { findTriggerFault } from '../dualWrite/verifyTrigger.ts'
import { findMissingSteps } from '../finalize/missingSteps.ts'
import { readNewestBaseline, createBaselineContext } from '../measure/baselineStore.ts'
import { isMonitoringChange, readMonitoring } from '../monitoring/readMonitoring.ts'
import { catalogFaults } from '../rollout/catalogFaults.ts'
import { undeclaredTriggers, type checkRolloutFile, type privilegeNotes } from '../rollout/checkAgainstTable.ts'
import { inspectTable, UnsupportedTableError } from '../rollout/inspectTable.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { readFailedChecksSince, readCoverageSummary, readLatestValidation } from '../validation/store.ts'
import { toOperation, type OperationRow } from './operationRow.ts'
import { deriveStage, isVerified, type FactsBeforeStage } from './rolloutStage.ts'

export interface FactsSource {
  readonly state: Sql
  readonly environment: string
  /** Sentences that hold for every rollout of this agent: the state is not ours, the database is a standby. */
  readonly agentFaults: () => readonly string[]
  readonly flag: (rollout: string) => FlagStatus
  readonly backup: (rollout: string) => BackupStatus
  /** Faults of a rollout file against its table; slow, so it is asked again only when file or table have changed. */
  readonly checks: FileCheckCache
  /** What the file wants of another environment first; null: nothing. */
  readonly promotion: (rollout: Rollout) => Promise<PromotionGate | null>
}

/** Reads everything about a rollout anew. Throws only when the database is away. */
export async function readFacts(source: FactsSource, rollout: Rollout): Promise<RolloutFacts> {
  const { state } = source
  const { table, faults, blockers, notes } = await readTableFacts(source, rollout)
  const { requires } = rollout.file.validation
  const [
    operations,
    changes,
    validation,
    counted,
    failedRowCounts,
    writeHistory,
    promotion,
    baseline,
    columnDropBrief,
    archive,
  ] = await Promise.all([
    state<OperationRow[]>`
      select * from sti.operation o where rollout = ${rollout.name} and (
        state not in ${endedStates(state)}
        or id in (select max(id) from sti.operation where rollout = ${rollout.name} and state = 'succeeded'
          and parameters->'failedRowsOnly' is null group by kind, parameters->>'scope'))
      order by id`,
    state<JournaledChangeRow[]>`
      select id, kind, object, statement, inverse, before, look, back, made, applied_at, confirmed_at, operation_id from sti.change
      where rollout = ${rollout.name} and reverted_at is null order by id`,
    readLatestValidation(state, rollout.name, requires),
    readCoverageSummary(state, rollout.name),
    state<{ open: number; accepted: number }[]>`
      select count(*) filter (where accepted_by is null)::int as open, count(*) filter (where accepted_by is not null)::int as accepted
      from sti.failed_row where rollout = ${rollout.name} and recovered_at is null`,
    state<{ ended: Date | null; derives: boolean; backfill: bigint | null; rehearsal: Date | null }[]>`
      select max(ended_at) filter (where kind in ('backfill', 'rollback')) as ended,
        max(id) filter (where kind = 'backfill') as backfill, max(created_at) filter (where kind = 'rehearsal') as rehearsal,
        coalesce(max(id) filter (where kind in ('expand', 'backfill') and started_at is not null), 0)
          > coalesce(max(id) filter (where kind = 'rollback' and state = 'succeeded'
            and strpos(coalesce(result->>'left', ''), ${DERIVE_TRIGGER_NAME}) = 0), 0) as derives
      from sti.operation where rollout = ${rollout.name}
        and (kind in ('expand', 'backfill', 'rehearsal') or kind = 'rollback' and parameters->>'scope' in ('data', 'system'))`,
    source.promotion(rollout),
    readNewestBaseline(state, createBaselineContext(rollout, source.environment)),
    readColumnDropBrief(state, rollout.name),
    readManifest(state, rollout),
  ])
  const succeeded = operations.filter((row) => row.state === 'succeeded').map(toOperation)
  const open = operations.filter((row) => !isEnded(row.state)).map(toOperation)
  const unrevertedChanges = changes.map(({ applied_at, confirmed_at, operation_id, ...change }) => ({
    ...change,
    operationId: Number(operation_id),
    appliedAt: applied_at.toISOString(),
    confirmed: confirmed_at !== null,
  }))
  const journaled = unrevertedChanges.filter((change) => !isMonitoringChange(change))
  const monitoringChanges = unrevertedChanges.filter(isMonitoringChange)
  const lastMonitoringEnable =
    succeeded.findLast((one) => one.kind === 'monitoring' && one.parameters['enabled'] !== false) ?? null
  const backfilled = succeeded.findLast((one) => one.kind === 'backfill') ?? null
  const triggerProblem = table === null ? 'the table could not be read' : await findTriggerFault(state, rollout, table)
  const currentFacts = { rollout, flag: source.flag(rollout.name), failedRows: failedRowCounts[0]!.open, archive }
  const lastWriteEndedAt = writeHistory[0]?.ended?.toISOString() ?? null
  const facts: FactsBeforeStage = {
    table,
    faults,
    blockers,
    triggerFault: triggerProblem,
    changes: journaled,
    validation,
    lastCounts: counted,
    promotion,
    monitoringChanges,
    monitoring: await readMonitoring(state, rollout.name, monitoringChanges, lastMonitoringEnable),
    baseline,
    checksFailedSince:
      validation === null ? [] : await readFailedChecksSince(state, rollout.name, validation.id, requires),
    undeclaredTriggers: table === null ? [] : undeclaredTriggers(rollout, table),
    notes: [...notes, ...fileMismatchNotes(rollout, open)],
    expanded: table !== null && table.discriminator !== null && triggerProblem === null,
    mayHoldDerivedValues: writeHistory[0]!.derives,
    lastBackfillId: writeHistory[0]!.backfill === null ? null : Number(writeHistory[0]!.backfill),
    rehearsalRequestedAt: writeHistory[0]!.rehearsal?.toISOString() ?? null,
    finalizeMissing: table === null ? ['the table could not be read'] : await findMissingSteps(state, rollout, table),
    openOperations: open,
    succeededOperations: succeeded,
    backup: source.backup(rollout.name),
    lastSucceededBackfill: backfilled,
    ...discriminatorFacts(table, journaled, backfilled),
    // A rollback of the system takes the data back as well.
    lastDataRollback: lastRollback(succeeded, 'data', 'system'),
    lastFlagRollback: lastRollback(succeeded, 'flag'),
    acceptedRows: failedRowCounts[0]!.accepted,
    ...currentFacts,
    lastWriteEndedAt,
    droppedColumns: findDroppedColumns(rollout, table),
    columnDrop: columnDropBrief && {
      ...columnDropBrief,
      staleBecause: stalenessReason(columnDropBrief, { ...currentFacts, lastWriteEndedAt }),
    },
  }
  return { ...facts, coverageVerified: isVerified(facts), stage: deriveStage(facts) }
}

function lastRollback(ended: readonly Operation[], ...scopes: RollbackScope[]): Operation | null {
  return (
    ended.findLast((one) => one.kind === 'rollback' && scopes.some((scope) => one.parameters['scope'] === scope)) ??
    null
  )
}

/** Of a table without the discriminator nothing was dropped: the file names a column wrongly. */
function findDroppedColumns({ legacyColumns }: Rollout, table: Table | null): string[] {
  if (table?.discriminator == null) return []
  return legacyColumns.filter((name) => !table.columns.some((column) => column.name === name))
}

type JournaledChangeRow = Omit<JournaledChange, 'appliedAt' | 'confirmed'> & {
  readonly operation_id: bigint
  readonly applied_at: Date
  readonly confirmed_at: Date | null
}

/** When the column was added, and the constant that rows may still hold since then. */
function discriminatorFacts(
  table: Table | null,
  changes: readonly JournaledChange[],
  backfilled: Operation | null,
): Pick<RolloutFacts, 'columnAddedAt' | 'activePrefill'> {
  const added = changes.findLast((change) => change.kind === 'column')
  if (added === undefined || table?.discriminator == null) return { columnAddedAt: null, activePrefill: null }
  const complete = backfilled?.endedAt != null && backfilled.endedAt > added.appliedAt
  return { columnAddedAt: added.appliedAt, activePrefill: complete ? null : readJournaledPrefill(added) }
}

/** An operation pins the hash of its file: with another file nobody claims it, and somebody should know why. */
function fileMismatchNotes(rollout: Rollout, open: readonly Operation[]): string[] {
  return open
    .filter((one) => one.fileHash !== rollout.hash)
    .map(
      (one) =>
        `${one.kind} ${one.id} belongs to another version of the rollout file and waits for it: cancel it, or bring that file back.`,
    )
}

interface TableFacts extends FileCheckResult {
  readonly table: Table | null
  readonly blockers: readonly string[]
}

async function readTableFacts(source: FactsSource, rollout: Rollout): Promise<TableFacts> {
  const agentFaults = source.agentFaults()
  const unreadable = (sentence: string): TableFacts => {
    const blockers = [...agentFaults, sentence]
    return { table: null, faults: blockers, blockers, notes: [] }
  }
  try {
    const table = await inspectTable(source.state, rollout)
    const { faults, notes } = await source.checks.read(rollout, table)
    // Owners, policies and publications change without the table: they are read each time.
    const catalog = await catalogFaults(source.state, rollout, table)
    return { table, faults: [...agentFaults, ...catalog, ...faults], blockers: agentFaults, notes }
  } catch (error) {
    if (error instanceof UnsupportedTableError) return unreadable(error.message)
    if (isConnectionError(error) || classifyError(error) === 'transient') throw error
    return unreadable(`The table could not be read: ${errorMessage(error)}.`)
  }
}

/** Remembers what PostgreSQL said of a file and a table until one of them changes. */
export interface FileCheckCache {
  read(rollout: Rollout, table: Table): Promise<FileCheckResult>
}

interface FileCheckResult {
  readonly faults: readonly string[]
  readonly notes: readonly string[]
}

export function createFileCheckCache(
  check: typeof checkRolloutFile,
  rights: typeof privilegeNotes,
  openConnection: (rollout: Rollout) => Sql,
): FileCheckCache {
  const cache = new Map<string, { of: string; checked: FileCheckResult }>()
  return {
    async read(rollout, table) {
      const fingerprint = JSON.stringify([rollout.hash, { ...table, estimatedRows: 0, bytes: 0 }])
      const cached = cache.get(rollout.name)
      if (cached?.of === fingerprint) return cached.checked
      const sql = openConnection(rollout)
      try {
        const checked = { faults: await check(sql, rollout, table), notes: await rights(sql) }
        cache.set(rollout.name, { of: fingerprint, checked })
        return checked
      } finally {
        await sql.end({ timeout: 1 })
      }
    },
  }
}
