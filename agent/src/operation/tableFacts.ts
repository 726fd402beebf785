import type { Sql } from '../database/connect.ts'
import { classifyError, isConnectionError, errorMessage } from '../database/errors.ts'
import { describeColumnChange, readColumnChanges } from '../dualWrite/columnShape.ts'
import { findTriggerFault } from '../dualWrite/verifyTrigger.ts'
import { findMissingSteps } from '../finalize/missingSteps.ts'
import type { TableFacts } from '../kind/facts.ts'
import { catalogFaults } from '../rollout/catalogFaults.ts'
import {
  undeclaredTriggers,
  type checkRolloutFile,
  type FileCheck,
  type privilegeNotes,
} from '../rollout/checkAgainstTable.ts'
import { inspectTable, UnsupportedTableError } from '../rollout/inspectTable.ts'
import { readResolution, resolutionNotes } from '../rollout/resolutionStore.ts'
import { quoteIdentifier } from '../rollout/identifiers.ts'
import { resolutionSource } from '../rollout/resolveNames.ts'
import type { NameResolution, Rollout, Table } from '../rollout/rollout.ts'
import { groupOf } from '../rollout/rolloutGroup.ts'

export interface TableFactsSource {
  readonly state: Sql
  /** Faults of this agent that affect every rollout, such as foreign state or a standby. */
  readonly agentFaults: () => readonly string[]
  /** Faults of a rollout file against its table; slow, so checked again only if the file or the table has changed. */
  readonly checks: FileCheckCache
}

/** @throws only if the database is unavailable */
export async function readTableFacts(source: TableFactsSource, file: Rollout): Promise<TableFacts> {
  const inspection = await inspect(source, file)
  const { table, rollout } = inspection
  if (table === null) {
    const unread = 'the table could not be read'
    return {
      ...inspection,
      undeclaredTriggers: [],
      droppedColumns: [],
      columnChanges: [],
      triggerFault: unread,
      expanded: false,
      finalizeMissing: [unread],
    }
  }
  const [columnChanges, triggerFault, finalizeMissing] = await Promise.all([
    readColumnChanges(source.state, rollout, table),
    findTriggerFault(source.state, rollout, table),
    findMissingSteps(source.state, rollout, table),
  ])
  const droppedColumns = findDroppedColumns(rollout, table)
  const columnSentences = columnChanges.map((change) => describeColumnChange(rollout, change))
  return {
    ...inspection,
    // The file names columns that the rollout itself has dropped: that is its end, and not a fault of the file.
    faults: isDropped(rollout, droppedColumns)
      ? [...inspection.blockers, droppedSentence(rollout)]
      : [...columnSentences, ...inspection.faults],
    columnChanges: columnSentences,
    undeclaredTriggers: undeclaredTriggers(rollout, table),
    droppedColumns,
    triggerFault,
    expanded: table.discriminator !== null && triggerFault === null,
    finalizeMissing,
  }
}

/** True if the column drop has ended the rollout. */
export function isDropped({ legacyColumns }: Pick<Rollout, 'legacyColumns'>, dropped: readonly string[]): boolean {
  return dropped.length === legacyColumns.length
}

/** Why nothing else of the rollout can run. */
export function droppedSentence({ legacyColumns }: Pick<Rollout, 'legacyColumns'>): string {
  return `The rollout is complete: its legacy columns (${legacyColumns.join(', ')}) are dropped. To go back, run the down migration of the column drop.`
}

/**
 * Without the discriminator nothing was dropped: the file names a wrong column. The migration of the column drop removes
 * the trigger first: while it exists, others have dropped or renamed the column.
 */
function findDroppedColumns({ legacyColumns }: Rollout, table: Table): string[] {
  if (table.discriminator === null || table.triggers.some(({ ours }) => ours)) return []
  return legacyColumns.filter((name) => !table.columns.some((column) => column.name === name))
}

type TableInspection = Pick<TableFacts, 'rollout' | 'table' | 'faults' | 'blockers' | 'notes'>

async function inspect(source: TableFactsSource, rollout: Rollout): Promise<TableInspection> {
  const agentFaults = source.agentFaults()
  const unreadable = (sentence: string): TableInspection => {
    const blockers = [...agentFaults, sentence]
    return { rollout, table: null, faults: blockers, blockers, notes: [] }
  }
  try {
    const table = await inspectTable(source.state, rollout)
    const { faults, notes, rollout: resolved } = await source.checks.read(rollout, table)
    // Owners, policies, and publications change independently of the table, so they are read every time.
    const catalog = await catalogFaults(source.state, rollout, table)
    return { rollout: resolved, table, faults: [...agentFaults, ...catalog, ...faults], blockers: agentFaults, notes }
  } catch (error) {
    if (error instanceof UnsupportedTableError) return unreadable(error.message)
    if (isConnectionError(error) || classifyError(error) === 'transient') throw error
    return unreadable(`The table could not be read: ${errorMessage(error)}.`)
  }
}

/** The cause of a fault may lie outside of file and table, such as a missing function or privilege: it is looked for again. */
const FAULTS_VALID_MS = 5_000

/**
 * Caches the result for a file and a table until one of them changes; faults only for a short time. Simultaneous readers
 * share one check, and its error.
 */
export interface FileCheckCache {
  read(rollout: Rollout, table: Table): Promise<FileCheckResult>
}

interface FileCheckResult extends FileCheck {
  readonly notes: readonly string[]
}

const MAX_SHARED = 100

/**
 * What a check of this table depends on, without the names of its own schema and rollout: the same in the tables of a group
 * that are alike. Null: it is not in a group, or the check reads more than the table.
 */
function siblingKey(rollout: Rollout, table: Table, fixed: NameResolution | null): string | null {
  const group = groupOf(rollout.name)
  const { file } = rollout
  if (group === null || table.partitions.length > 0 || table.citus !== null) return null
  if (file.checks.length > 0 || file.signals.some(({ sql }) => sql !== undefined)) return null
  const structure = {
    ...table,
    oid: 0,
    estimatedRows: 0,
    bytes: 0,
    triggers: table.triggers.map((trigger) => (trigger.ours ? { ours: true } : { ...trigger, digest: '' })),
  }
  const { schema } = rollout.table
  const text = JSON.stringify([group, rollout.hash, structure, fixed && { ...fixed, source: '' }])
  return [rollout.name, JSON.stringify(quoteIdentifier(schema)).slice(1, -1), schema].reduce(
    (rest, name) => rest.replaceAll(name, '~'),
    text,
  )
}

/** With names of pg_catalog only, an expression means the same in every schema. */
function isShareable({ faults, rollout }: FileCheckResult): boolean {
  return faults.length === 0 && rollout.resolution !== null && rollout.resolution.objects.length === 0
}

export function createFileCheckCache(
  check: typeof checkRolloutFile,
  readNotes: typeof privilegeNotes,
  state: Sql,
  openConnection: () => Sql,
): FileCheckCache {
  const cache = new Map<string, { fingerprint: string; result: Promise<FileCheckResult>; expiresAt: number }>()
  /** Results for tables of a group, by what is alike in them. */
  const shared = new Map<string, Promise<FileCheckResult>>()

  async function checkFile(rollout: Rollout, table: Table): Promise<FileCheckResult> {
    const fixed = await readResolution(state, rollout, table)
    const key = siblingKey(rollout, table, fixed)
    if (key === null) return await checkTable(rollout, table, fixed)
    const first = shared.get(key)
    if (first === undefined) {
      if (shared.size >= MAX_SHARED) shared.clear()
      const result = checkTable(rollout, table, fixed)
      shared.set(key, result)
      void result.then(
        (done) => isShareable(done) || shared.delete(key),
        () => shared.delete(key),
      )
      return await result
    }
    const sibling = await first.catch(() => null)
    if (sibling === null || !isShareable(sibling)) return await checkTable(rollout, table, fixed)
    const resolution = { ...sibling.rollout.resolution!, source: resolutionSource(rollout, table) }
    return { ...sibling, rollout: rollout.withResolution(resolution) }
  }

  async function checkTable(rollout: Rollout, table: Table, fixed: NameResolution | null): Promise<FileCheckResult> {
    const sql = openConnection()
    try {
      const { faults, rollout: resolved } = await check(sql, rollout, table, fixed)
      return { faults, rollout: resolved, notes: [...(await readNotes(sql)), ...resolutionNotes(resolved)] }
    } finally {
      await sql.end({ timeout: 1 })
    }
  }
  return {
    read(rollout, table) {
      const fingerprint = JSON.stringify([rollout.hash, { ...table, estimatedRows: 0, bytes: 0 }])
      const cached = cache.get(rollout.name)
      if (cached?.fingerprint === fingerprint && performance.now() < cached.expiresAt) return cached.result
      const entry = { fingerprint, result: checkFile(rollout, table), expiresAt: Infinity }
      cache.set(rollout.name, entry)
      entry.result.then(
        ({ faults }) => {
          if (faults.length > 0) entry.expiresAt = performance.now() + FAULTS_VALID_MS
        },
        () => {
          entry.expiresAt = 0
        },
      )
      return entry.result
    },
  }
}
