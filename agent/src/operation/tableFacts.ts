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
import type { Rollout, Table } from '../rollout/rollout.ts'

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

export function createFileCheckCache(
  check: typeof checkRolloutFile,
  readNotes: typeof privilegeNotes,
  state: Sql,
  openConnection: () => Sql,
): FileCheckCache {
  const cache = new Map<string, { fingerprint: string; result: Promise<FileCheckResult>; expiresAt: number }>()
  async function checkFile(rollout: Rollout, table: Table): Promise<FileCheckResult> {
    const fixed = await readResolution(state, rollout, table)
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
