import type { BackupStatus, FlagStatus, Operation, PromotionGate, Scope } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { Facts, JournaledChange } from '../engine/facts.ts'
import { faultOf, isAway, messageOf } from '../engine/errors.ts'
import { readManifest } from '../columnDrop/archive/manifest.ts'
import { staleBecause } from '../columnDrop/fresh.ts'
import { readColumnDropBrief } from '../columnDrop/store.ts'
import { prefillOf } from '../expand/addColumn.ts'
import { TRIGGER_NAME } from '../dualWrite/trigger.ts'
import { triggerFault } from '../dualWrite/verify.ts'
import { finalizeMissing } from '../finalize/verify.ts'
import { newestBaseline, useOf } from '../measure/store.ts'
import { ofMonitoring, readMonitoring } from '../monitoring/read.ts'
import { catalogFaults } from '../rollout/catalogFaults.ts'
import { undeclaredTriggers, type checkFile, type rightsNotes } from '../rollout/check.ts'
import { inspect, TableFault } from '../rollout/inspect.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { failedSince, readCounted, readValidation } from '../validation/store.ts'
import { toOperation, type OperationRow } from './row.ts'
import { stageOf, verified, type Known } from './stage.ts'

export interface FactsSource {
  readonly state: Sql
  readonly environment: string
  /** Sentences that hold for every rollout of this agent: the state is not ours, the database is a standby. */
  readonly agentFaults: () => readonly string[]
  readonly flag: (rollout: string) => FlagStatus
  readonly backup: (rollout: string) => BackupStatus
  /** Faults of a rollout file against its table; slow, so it is asked again only when file or table have changed. */
  readonly checks: FileChecks
  /** What the file wants of another environment first; null: nothing. */
  readonly promotion: (rollout: Rollout) => Promise<PromotionGate | null>
}

/** Reads everything about a rollout anew. Throws only when the database is away. */
export async function readFacts(source: FactsSource, rollout: Rollout): Promise<Facts> {
  const { state } = source
  const { table, faults, blockers, notes } = await readTable(source, rollout)
  const { requires } = rollout.file.validation
  const [operations, changes, validation, counted, failed, written, promotion, baseline, prepared, archive] =
    await Promise.all([
      state<OperationRow[]>`
      select * from sti.operation o where rollout = ${rollout.name} and (
        state not in ('cancelled', 'succeeded', 'failed')
        or id in (select max(id) from sti.operation where rollout = ${rollout.name} and state = 'succeeded'
          and parameters->'failedRowsOnly' is null group by kind, parameters->>'scope'))
      order by id`,
      state<ChangeRow[]>`
      select id, kind, object, statement, inverse, before, look, back, made, applied_at, confirmed_at, operation_id from sti.change
      where rollout = ${rollout.name} and reverted_at is null order by id`,
      readValidation(state, rollout.name, requires),
      readCounted(state, rollout.name),
      state<{ open: number; accepted: number }[]>`
      select count(*) filter (where accepted_by is null)::int as open, count(*) filter (where accepted_by is not null)::int as accepted
      from sti.failed_row where rollout = ${rollout.name} and recovered_at is null`,
      state<{ ended: Date | null; derives: boolean; backfill: bigint | null; rehearsal: Date | null }[]>`
      select max(ended_at) filter (where kind in ('backfill', 'rollback')) as ended,
        max(id) filter (where kind = 'backfill') as backfill, max(created_at) filter (where kind = 'rehearsal') as rehearsal,
        coalesce(max(id) filter (where kind in ('expand', 'backfill') and started_at is not null), 0)
          > coalesce(max(id) filter (where kind = 'rollback' and state = 'succeeded'
            and strpos(coalesce(result->>'left', ''), ${TRIGGER_NAME}) = 0), 0) as derives
      from sti.operation where rollout = ${rollout.name}
        and (kind in ('expand', 'backfill', 'rehearsal') or kind = 'rollback' and parameters->>'scope' in ('data', 'system'))`,
      source.promotion(rollout),
      newestBaseline(state, useOf(rollout, source.environment)),
      readColumnDropBrief(state, rollout.name),
      readManifest(state, rollout),
    ])
  const ended = operations.filter((row) => row.state === 'succeeded').map(toOperation)
  const open = operations.filter((row) => !['succeeded', 'failed', 'cancelled'].includes(row.state)).map(toOperation)
  const all = changes.map(({ applied_at, confirmed_at, operation_id, ...change }) => ({
    ...change,
    operationId: Number(operation_id),
    appliedAt: applied_at.toISOString(),
    confirmed: confirmed_at !== null,
  }))
  const journaled = all.filter((change) => !ofMonitoring(change))
  const monitoringChanges = all.filter(ofMonitoring)
  const switchedOn = ended.findLast((one) => one.kind === 'monitoring' && one.parameters['enabled'] !== false) ?? null
  const backfilled = ended.findLast((one) => one.kind === 'backfill') ?? null
  const wrong = table === null ? 'the table could not be read' : await triggerFault(state, rollout, table)
  const now = { rollout, flag: source.flag(rollout.name), failedRows: failed[0]!.open, archive }
  const lastWriteEndedAt = written[0]?.ended?.toISOString() ?? null
  const facts: Known = {
    table,
    faults,
    blockers,
    triggerFault: wrong,
    changes: journaled,
    validation,
    counted,
    promotion,
    monitoringChanges,
    monitoring: await readMonitoring(state, rollout.name, monitoringChanges, switchedOn),
    baseline,
    failedSince: validation === null ? [] : await failedSince(state, rollout.name, validation.id, requires),
    undeclaredTriggers: table === null ? [] : undeclaredTriggers(rollout, table),
    notes: [...notes, ...otherFile(rollout, open)],
    expanded: table !== null && table.discriminator !== null && wrong === null,
    holdsDerived: written[0]!.derives,
    lastBackfill: written[0]!.backfill === null ? null : Number(written[0]!.backfill),
    rehearsalAskedAt: written[0]!.rehearsal?.toISOString() ?? null,
    finalizeMissing: table === null ? ['the table could not be read'] : await finalizeMissing(state, rollout, table),
    open,
    succeeded: ended,
    backup: source.backup(rollout.name),
    backfilled,
    ...columnOf(table, journaled, backfilled),
    // A rollback of the system takes the data back as well.
    dataRolledBack: rolledBack(ended, 'data', 'system'),
    flagRolledBack: rolledBack(ended, 'flag'),
    acceptedRows: failed[0]!.accepted,
    ...now,
    lastWriteEndedAt,
    droppedColumns: droppedColumns(rollout, table),
    columnDrop: prepared && { ...prepared, staleBecause: staleBecause(prepared, { ...now, lastWriteEndedAt }) },
  }
  return { ...facts, verified: verified(facts), stage: stageOf(facts) }
}

function rolledBack(ended: readonly Operation[], ...scopes: Scope[]): Operation | null {
  return (
    ended.findLast((one) => one.kind === 'rollback' && scopes.some((scope) => one.parameters['scope'] === scope)) ??
    null
  )
}

/** Of a table without the discriminator nothing was dropped: the file names a column wrongly. */
function droppedColumns({ legacyColumns }: Rollout, table: Table | null): string[] {
  if (table?.discriminator == null) return []
  return legacyColumns.filter((name) => !table.columns.some((column) => column.name === name))
}

type ChangeRow = Omit<JournaledChange, 'appliedAt' | 'confirmed'> & {
  readonly operation_id: bigint
  readonly applied_at: Date
  readonly confirmed_at: Date | null
}

/** When the column was added, and the constant that rows may still hold since then. */
function columnOf(
  table: Table | null,
  changes: readonly JournaledChange[],
  backfilled: Operation | null,
): Pick<Facts, 'columnAddedAt' | 'prefilled'> {
  const added = changes.findLast((change) => change.kind === 'column')
  if (added === undefined || table?.discriminator == null) return { columnAddedAt: null, prefilled: null }
  const complete = backfilled?.endedAt != null && backfilled.endedAt > added.appliedAt
  return { columnAddedAt: added.appliedAt, prefilled: complete ? null : prefillOf(added) }
}

/** An operation pins the hash of its file: with another file nobody claims it, and somebody should know why. */
function otherFile(rollout: Rollout, open: readonly Operation[]): string[] {
  return open
    .filter((one) => one.fileHash !== rollout.hash)
    .map(
      (one) =>
        `${one.kind} ${one.id} belongs to another version of the rollout file and waits for it: cancel it, or bring that file back.`,
    )
}

interface ReadTable extends Checked {
  readonly table: Table | null
  readonly blockers: readonly string[]
}

async function readTable(source: FactsSource, rollout: Rollout): Promise<ReadTable> {
  const agent = source.agentFaults()
  const unreadable = (sentence: string): ReadTable => {
    const blockers = [...agent, sentence]
    return { table: null, faults: blockers, blockers, notes: [] }
  }
  try {
    const table = await inspect(source.state, rollout)
    const { faults, notes } = await source.checks.read(rollout, table)
    // Owners, policies and publications change without the table: they are read each time.
    const catalog = await catalogFaults(source.state, rollout, table)
    return { table, faults: [...agent, ...catalog, ...faults], blockers: agent, notes }
  } catch (error) {
    if (error instanceof TableFault) return unreadable(error.message)
    if (isAway(error) || faultOf(error) === 'retry') throw error
    return unreadable(`The table could not be read: ${messageOf(error)}.`)
  }
}

/** Remembers what PostgreSQL said of a file and a table until one of them changes. */
export interface FileChecks {
  read(rollout: Rollout, table: Table): Promise<Checked>
}

interface Checked {
  readonly faults: readonly string[]
  readonly notes: readonly string[]
}

export function createFileChecks(
  check: typeof checkFile,
  rights: typeof rightsNotes,
  open: (rollout: Rollout) => Sql,
): FileChecks {
  const known = new Map<string, { of: string; checked: Checked }>()
  return {
    async read(rollout, table) {
      const of = JSON.stringify([rollout.hash, { ...table, estimatedRows: 0, bytes: 0 }])
      const before = known.get(rollout.name)
      if (before?.of === of) return before.checked
      const sql = open(rollout)
      try {
        const checked = { faults: await check(sql, rollout, table), notes: await rights(sql) }
        known.set(rollout.name, { of, checked })
        return checked
      } finally {
        await sql.end({ timeout: 1 })
      }
    },
  }
}
