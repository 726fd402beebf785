import { citusFindings } from '../citus/citusFaults.ts'
import type { Sql } from '../database/connect.ts'
import { classifyError, errorMessage } from '../database/errors.ts'
import { findStatementStatisticsFault, type StatementStatisticsFault } from '../database/statementStatistics.ts'
import { formatCount, capitalize } from '../format/format.ts'
import { readForeignKeys, type ForeignKey } from './foreignKeys.ts'
import {
  privilegeNotes,
  silentTriggerNotes,
  undeclaredLegacyTriggers,
  undeclaredTriggers,
} from './checkAgainstTable.ts'
import { citusTableNames } from './inspectTable.ts'
import type { Rollout, Table } from './rollout.ts'
import { laterTriggerRefusals } from './laterTriggers.ts'
import { readRowTypeUses } from './rowTypeUses.ts'
import { columnLimitRefusal, findRowWidth } from './rowWidth.ts'
import { typeOnlyInsertNotes } from './typeOnlyInserts.ts'
import { sampleTable } from './tableSample.ts'

/** The step that would refuse, or could not decide. */
export type PreparationStep = 'expand' | 'backfill' | 'validation' | 'finalize' | 'column drop'

/** What a step of the rollout would meet, and what to do before. */
export interface PreparationFinding {
  readonly step: PreparationStep
  /** False: the step runs, with the consequence that the text names. */
  readonly refused: boolean
  readonly text: string
  /** The objects that the text counts, one sentence each. */
  readonly objects?: readonly string[]
}

export interface Preparation {
  readonly findings: readonly PreparationFinding[]
  /** Rows of each type, in the order of the file; `type` null: no type matches. Empty: they could not be counted. */
  readonly rows: readonly { readonly type: string | null; readonly count: number }[]
  /** The counts are of a sample of the table. */
  readonly sampled: boolean
}

/** The settings that enhanced monitoring changes (monitoring/monitoringSettings.ts). */
export const MONITORING_SETTINGS = ['track_io_timing', 'pg_stat_statements.track'] as const

/** Larger tables are sampled: about this many pages are read. */
const SAMPLE_PAGES = 10_000

/**
 * Everything in the database that a later step of the rollout would refuse or could not decide, for the role of this
 * connection, except the objects that keep the legacy columns from being dropped (columnDrop/inspectColumnDrop.ts).
 * Changes nothing. The file must fit the table (`checkAgainstTable`).
 */
export async function inspectPreparation(sql: Sql, rollout: Rollout, table: Table): Promise<Preparation> {
  const [catalog, foreignKeys, statementsFault, rowTypeUses] = await Promise.all([
    readCatalog(sql, rollout, table),
    readForeignKeys(sql, table),
    findStatementStatisticsFault(sql),
    readRowTypeUses(sql, table.oid),
  ])
  const { rows, sampled, fault } = await countTypes(sql, rollout, table)
  return {
    findings: [
      ...citusNotes(rollout, table),
      ...rightFindings(rollout, catalog, foreignKeys),
      ...(await privilegeNotes(sql)).map((text) => ({ step: 'validation' as const, refused: false, text })),
      ...tableFindings(rollout, table, catalog, rowTypeUses),
      ...undeclaredTriggers(rollout, table).map((text) => ({ step: 'backfill' as const, refused: true, text })),
      ...(await rowFindings(sql, rollout, table, rows, sampled)),
      ...undeclaredLegacyTriggers(rollout, table).map((text) => ({
        step: 'validation' as const,
        refused: false,
        text,
      })),
      ...silentTriggerNotes(rollout, table).map((text) => ({ step: 'finalize' as const, refused: false, text })),
      ...typeOnlyInsertNotes(rollout, table).map((text) => ({ step: 'finalize' as const, refused: false, text })),
      ...(fault === null
        ? []
        : [
            {
              step: 'backfill' as const,
              refused: false,
              text: `The rows of each type are not counted, since a "when" raises an error for some rows, which become failed rows: ${fault}. Correct the expression.`,
            },
          ]),
      ...statisticsFindings(statementsFault),
    ],
    rows,
    sampled,
  }
}

/**
 * The rights and extensions that this step or a later one needs and that are missing: told before anything is changed,
 * and cheap enough for a request.
 */
export async function inspectRights(sql: Sql, rollout: Rollout, table: Table): Promise<PreparationFinding[]> {
  const [catalog, foreignKeys, notes, statementsFault] = await Promise.all([
    readCatalog(sql, rollout, table),
    readForeignKeys(sql, table),
    privilegeNotes(sql),
    findStatementStatisticsFault(sql),
  ])
  return [
    ...citusNotes(rollout, table),
    ...rightFindings(rollout, catalog, foreignKeys),
    ...notes.map((text) => ({ step: 'validation' as const, refused: false, text })),
    ...statisticsFindings(statementsFault),
  ]
}

const citusNotes = (rollout: Rollout, { citus }: Table): PreparationFinding[] =>
  citus === null ? [] : citusFindings(citus, citusTableNames(rollout.table))

interface CatalogRow {
  readonly role: string
  readonly database: string
  readonly schema: string
  readonly createInDatabase: boolean
  readonly createInSchema: boolean
  /** Settings of enhanced monitoring that exist on the server and that the role may not change. */
  readonly unsettable: readonly string[]
  /** Relations of the table that are published for updates and have no replica identity. */
  readonly withoutIdentity: readonly string[]
}

async function readCatalog(sql: Sql, rollout: Rollout, table: Table): Promise<CatalogRow> {
  const [row] = await sql<CatalogRow[]>`
    with /* sti */ tree as materialized (
      select ${table.oid}::oid as oid union select relid from pg_catalog.pg_partition_tree(${table.oid}::oid::regclass)
    )
    select pg_catalog.quote_ident(current_user) as role, pg_catalog.quote_ident(pg_catalog.current_database()) as database,
      pg_catalog.quote_ident(${rollout.table.schema}) as schema,
      pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
        or exists (select from pg_catalog.pg_namespace n where n.nspname = 'sti' and pg_catalog.pg_has_role(n.nspowner, 'USAGE')) as "createInDatabase",
      pg_catalog.has_schema_privilege(${rollout.table.schema}, 'CREATE') as "createInSchema",
      (select coalesce(pg_catalog.jsonb_agg(w.name), '[]') from pg_catalog.jsonb_array_elements_text(${sql.json([...MONITORING_SETTINGS])}::jsonb) as w(name)
        where current_setting(w.name, true) is not null
          and not coalesce(pg_catalog.has_parameter_privilege(current_user, w.name, 'SET'), false)) as unsettable,
      (select coalesce(pg_catalog.jsonb_agg(c.oid::regclass::text order by c.oid), '[]') from tree
        join pg_catalog.pg_class c on c.oid = tree.oid and c.relkind = 'r'
        where (c.relreplident = 'n' or c.relreplident = 'd'
            and not exists (select from pg_catalog.pg_index i where i.indrelid = c.oid and i.indisprimary))
          and exists (select from pg_catalog.pg_publication p join pg_catalog.pg_publication_tables t on t.pubname = p.pubname
            join pg_catalog.pg_namespace n on n.nspname = t.schemaname
            join pg_catalog.pg_class x on x.relname = t.tablename and x.relnamespace = n.oid
            where p.pubupdate and x.oid in (select oid from tree))) as "withoutIdentity"`
  return row!
}

function rightFindings(
  rollout: Rollout,
  { role, database, schema, createInDatabase, createInSchema, unsettable }: CatalogRow,
  foreignKeys: readonly ForeignKey[],
): PreparationFinding[] {
  const findings: PreparationFinding[] = []
  if (!createInDatabase) {
    const text = `Role ${role} may not create schema sti. Run GRANT CREATE ON DATABASE ${database} TO ${role}.`
    findings.push({ step: 'expand', refused: true, text })
  }
  if (!createInSchema) {
    const text = `Role ${role} may not create the index of ${rollout.table.sql}. Run GRANT CREATE ON SCHEMA ${schema} TO ${role}.`
    findings.push({ step: 'finalize', refused: true, text })
  }
  if (unsettable.length > 0) {
    const text = `Role ${role} may not set ${unsettable.join(' and ')}, so --enable-monitoring enables the other changes only. Run GRANT SET ON PARAMETER ${unsettable.join(', ')} TO ${role} as a superuser.`
    findings.push({ step: 'backfill', refused: false, text })
  }
  const unreadable = foreignKeys.filter((key) => key.enforced && key.unreadable !== null)
  if (unreadable.length > 0) {
    const names = unreadable.map(({ name }) => name).join(', ')
    const statements = [...new Set(unreadable.map((key) => key.unreadable))].join('; ')
    const text = `Role ${role} may not read every row of the tables of ${names}, so the check foreign-keys cannot decide. Run ${statements}.`
    findings.push({ step: 'validation', refused: false, text })
  }
  return findings
}

function tableFindings(
  rollout: Rollout,
  table: Table,
  { withoutIdentity }: CatalogRow,
  rowTypeUses: readonly string[],
): PreparationFinding[] {
  const findings: PreparationFinding[] = []
  const columnLimit = columnLimitRefusal(rollout, table)
  if (columnLimit !== null) findings.push({ step: 'expand', refused: true, text: columnLimit })
  if (rollout.file.dualWrite === 'trigger')
    findings.push(...laterTriggerRefusals(table).map((text) => ({ step: 'expand' as const, refused: true, text })))
  if (rollout.file.prefill === 'majority' && table.discriminator === null && rowTypeUses.length > 0) {
    const text = `${rowTypeUses.join(', ')} holds rows of ${rollout.table.sql}, so PostgreSQL refuses to add a column with a default to it. Set prefill: none.`
    findings.push({ step: 'expand', refused: true, text })
  }
  if (withoutIdentity.length > 0) {
    const text = `${withoutIdentity.join(', ')} has no replica identity, but its updates are published, so PostgreSQL refuses every UPDATE. Run ALTER TABLE … REPLICA IDENTITY FULL, or USING INDEX.`
    findings.push({ step: 'backfill', refused: true, text })
  }
  return findings
}

async function rowFindings(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  rows: Preparation['rows'],
  sampled: boolean,
): Promise<PreparationFinding[]> {
  const findings: PreparationFinding[] = []
  const rowWidth = await findRowWidth(sql, rollout, table)
  if (rowWidth !== null) findings.push({ step: 'expand', refused: rowWidth.refused, text: rowWidth.text })
  const total = rows.reduce((sum, { count }) => sum + count, 0)
  const unmapped = rows.find(({ type }) => type === null)?.count ?? 0
  if (unmapped > 0) {
    const text = `${formatCount(unmapped)} of ${formatCount(total)} ${sampled ? 'sampled ' : ''}rows match no type and become failed rows. Add a type, or otherwise.`
    findings.push({ step: 'backfill', refused: false, text })
  }
  if (table.discriminator !== null && !(await hasExpanded(sql, rollout, table))) {
    const [existing] = await sql.unsafe<{ found: boolean }[]>(
      `select exists (select from ${rollout.table.sql} as t where t.${rollout.discriminator.sql} is not null) as found`,
    )
    if (existing!.found) {
      const text = `Column ${rollout.discriminator.sql} already exists and holds values, which a rollback could not distinguish from derived ones. Choose another column in discriminator, or set it to NULL.`
      findings.push({ step: 'expand', refused: true, text })
    }
  }
  return findings
}

/** After an expand, the values of the discriminator are derived ones. */
async function hasExpanded(sql: Sql, rollout: Rollout, table: Table): Promise<boolean> {
  if (table.triggers.some(({ ours }) => ours)) return true
  const [journal] = await sql<{ readable: boolean }[]>`
    select coalesce(pg_catalog.has_table_privilege(pg_catalog.to_regclass('sti.change'), 'SELECT'), false) as readable`
  if (!journal!.readable) return false
  const changes = await sql`
    select from sti.change where rollout = ${rollout.name} and reverted_at is null limit 1`
  return changes.count > 0
}

function statisticsFindings(fault: StatementStatisticsFault | null): PreparationFinding[] {
  if (fault === null) return []
  const text = `${capitalize(fault.problem)}. ${capitalize(fault.remedy)}.`
  return [{ step: 'column drop', refused: true, text }]
}

/** `fault`: why the rows cannot be counted, since an expression raises an error for one of them; null: they are counted. */
async function countTypes(
  sql: Sql,
  rollout: Rollout,
  table: Table,
): Promise<Pick<Preparation, 'rows' | 'sampled'> & { readonly fault: string | null }> {
  const { clause, sampled } = await sampleTable(sql, table, SAMPLE_PAGES)
  try {
    const counted = await sql.unsafe<{ type: string | null; count: number }[]>(
      `select (${rollout.derive('t')})::text as type, count(*)::float8 as count from ${rollout.table.sql} as t${clause} group by 1`,
    )
    const counts = new Map(counted.map(({ type, count }) => [type, count]))
    const unmapped = counts.get(null) ?? 0
    const rows = [
      ...rollout.types.map((type) => ({ type, count: counts.get(type) ?? 0 })),
      ...(rollout.mayBeUnmapped || unmapped > 0 ? [{ type: null, count: unmapped }] : []),
    ]
    return { rows, sampled, fault: null }
  } catch (error) {
    if (classifyError(error) !== 'row') throw error
    return { rows: [], sampled, fault: errorMessage(error) }
  }
}
