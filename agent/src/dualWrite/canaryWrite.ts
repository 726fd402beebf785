import { ONE_CONNECTION_PER_NODE_SQL } from '../citus/shardTransaction.ts'
import type { Sql } from '../database/connect.ts'
import { errorCode, errorMessage } from '../database/errors.ts'
import { tagStatement } from '../database/tagStatement.ts'
import { compareKeys, keyAsJson, keyColumns, keyElements, type Key } from '../engine/keys.ts'
import { quoteLiteral, quoteIdentifier } from '../rollout/identifiers.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { splitStatements } from '../rollout/sqlParser.ts'
import { isRestoreDecided, restoredRow } from '../rollout/restoreValue.ts'
import { dollarQuote } from './deriveTrigger.ts'
import { reverseSyncChange } from './reverseSync.ts'
import { readTiedColumns } from './tiedColumns.ts'

/** Rows that are tried, one after the other, until one follows in every direction. */
const MAX_CANDIDATE_ROWS = 20
/** Rows that are sampled, in whole pages, to find some of every type. */
const SAMPLED_ROWS = 5_000
/** Without statistics, the number of rows is estimated from the size of the table. */
const ASSUMED_ROW_BYTES = 100
/** Undoes one canary write. */
const UNDO_SQLSTATE = 'STI02'
/** Ends the canary with its result as the error message, so that nothing can be committed. */
const RESULT_SQLSTATE = 'STI03'

/** The side that is written; the other side must follow. */
export type SyncDirection = 'legacy' | 'type'

export interface CanaryResult {
  /** Directions in which a row followed. */
  readonly shown: readonly SyncDirection[]
  /** Directions that were tried: with values of the row itself in `restore`, a row may not be able to become another type. */
  readonly possible: readonly SyncDirection[]
  /** Rows that were tried. */
  readonly looked: number
  /** Rows that another session locked for longer than 100 ms. */
  readonly locked: number
  /** Key of the last row that was tried. */
  readonly key: Key | null
  /** The first write after which type and legacy columns did not agree. */
  readonly fault: {
    readonly way: SyncDirection
    readonly wrote: string
    readonly type: string | null
    readonly legacy: string | null
  } | null
  /** SQLSTATE and message of the last write that the application refused. */
  readonly refused: string | null
  /** What refused it: SQLSTATE and constraint, which do not change with the row. */
  readonly refusedBy: string | null
}

/** Which directions the canary tries. */
export interface CanaryScope {
  readonly directions: readonly SyncDirection[]
  /** Before finalize: the type alone is written with the function that finalize creates, which is undone, too. */
  readonly installReverseSync: boolean
}

/**
 * Writes one existing row as old code and as new code would, reads it, and undoes the writes: one statement, which always
 * ends in an error. `sql` is a separate connection that may write. `preparation` is undone with the writes.
 */
export async function runCanaryWrite(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  scope: CanaryScope,
  preparation: readonly string[] = [],
): Promise<CanaryResult> {
  const tiedColumns = await readTiedColumns(sql, rollout, table)
  const block = `do ${dollarQuote(canaryBlockSql({ rollout, table, tiedColumns }, scope))}`
  try {
    await sql.unsafe([...preparation, block].map(tagStatement).join(';\n'))
  } catch (error) {
    if (errorCode(error) === RESULT_SQLSTATE) return JSON.parse(errorMessage(error)) as CanaryResult
    throw error
  }
  throw new Error('the canary ended without an error: this is a bug')
}

interface CanaryTarget {
  readonly rollout: Rollout
  readonly table: Table
  /** Columns that are taken from an existing row of the written type if a CHECK refuses the write without them. */
  readonly tiedColumns: readonly string[]
}

function canaryBlockSql(target: CanaryTarget, { directions, installReverseSync }: CanaryScope): string {
  const { rollout, table, tiedColumns } = target
  const candidates = candidateRowsSql(rollout, table)
  const readDonorsSql = `select jsonb_object_agg(donor.was, donor.key) into donors from (select distinct on (c.was) c.was, c.key from (${candidates}) as c order by c.was) as donor;`
  return `declare
  place record; has_type text; has_legacy text; clash text; fault jsonb; refused text; refused_by text; earlier text[]; key jsonb; donors jsonb;
  looked int := 0; locked int := 0; shown text[] := '{}'; possible text[] := '{}';
begin
  perform set_config('lock_timeout', '100ms', true), set_config('sti.engine', 'off', true);
  ${target.table.citus === null ? '' : ONE_CONNECTION_PER_NODE_SQL}
  -- A constraint that is checked at commit would never be checked here.
  set constraints all immediate;
  ${tiedColumns.length === 0 ? '' : readDonorsSql}
  ${directions
    .map((direction) => {
      const install =
        direction === 'type' && installReverseSync ? installSql(reverseSyncChange(rollout, table).statement, table) : ''
      return `if fault is null then
    ${install}
    ${directionSql(target, direction, candidates)}
  end if;`
    })
    .join('\n  ')}
  raise exception using errcode = '${RESULT_SQLSTATE}', message = jsonb_build_object('shown', shown, 'possible', possible, 'looked', looked,
    'locked', locked, 'key', key, 'fault', fault, 'refused', refused, 'refusedBy', refused_by)::text;
end`
}

/** Citus carries each command to the nodes by its text, so there a text has one command. */
function installSql(statement: string, { citus }: Table): string {
  const commands = citus === null ? [statement] : splitStatements(statement).map(({ text }) => text)
  return commands.map((command) => `execute ${dollarQuote(command)};`).join(' ')
}

/** Tries rows until one follows in this direction. What refused earlier rows says nothing then. */
function directionSql(target: CanaryTarget, direction: SyncDirection, candidates: string): string {
  const attempts = target.rollout.types.map((type) => canaryAttemptSql(target, type, direction))
  return `earlier := array[refused, refused_by]; looked := 0; locked := 0;
    <<rows>>
    for place in ${candidates} loop
      looked := looked + 1; key := place.key;
      ${attempts.join('\n      ')}
      if ${quoteLiteral(direction)} = any (shown) then refused := earlier[1]; refused_by := earlier[2]; exit rows; end if;
    end loop;`
}

/** Rows of every type from all over the table, in turn; then the first rows, in case the sample is empty. */
function candidateRowsSql({ table: { sql: name }, discriminator, types }: Rollout, table: Table): string {
  const keys = table.key.map((column, index) => `t.${column.sql} as k${index}`).join(', ')
  const candidate = `select ${keys}, ${keyAsJson(table.key, 't')} as key, t.${discriminator.sql}::text as was`
  const percent = Math.min(
    100,
    (100 * SAMPLED_ROWS) / Math.max(1, table.estimatedRows ?? table.bytes / ASSUMED_ROW_BYTES),
  )
  const known = `t.${discriminator.sql} is not null`
  return `select * from (
      ${candidate}, row_number() over (partition by t.${discriminator.sql}) as turn from ${name} as t tablesample system (${percent}) where ${known}
      union all (${candidate}, ${SAMPLED_ROWS} from ${name} as t where ${known} limit ${MAX_CANDIDATE_ROWS})
    ) as candidate order by turn limit ${MAX_CANDIDATE_ROWS + types.length}`
}

/**
 * SQL that writes one row as another type, reads it, and undoes the write; skipped once a row followed this direction. If a
 * CHECK refuses the write, it is repeated with the values of the tied columns of an existing row of that type.
 */
function canaryAttemptSql(
  { rollout, table, tiedColumns }: CanaryTarget,
  type: string,
  direction: SyncDirection,
): string {
  const {
    table: { sql: name },
    discriminator,
  } = rollout
  const rowCondition = table.key.map((column, index) => `t.${column.sql} = place.k${index}`).join(' and ')
  const readBackSql = `select t.${discriminator.sql}::text, (${rollout.derive('t')})::text into has_type, has_legacy from ${name} as t where ${rowCondition}`
  const typeLiteral = `${quoteLiteral(type)}::${discriminator.dataType}`
  const restored = [...(rollout.restoreValues(type) ?? [])].filter(([, value]) => value.kind !== 'keep')
  const assignments = restored.map(([column, value]) => `${quoteIdentifier(column)} = ${value.sql('t')}\n`)
  const restores = rollout.restoreValues(type) !== null
  // Where no legacy write makes a row this type, the row must get its own type back.
  const keepsOwnType = direction === 'legacy' ? assignments.length === 0 : !restores
  const set =
    direction === 'type'
      ? `${discriminator.sql} = ${typeLiteral}`
      : keepsOwnType
        ? `${discriminator.sql} = null`
        : assignments.join(', ')
  const faultCondition =
    direction === 'legacy'
      ? 'has_type is distinct from has_legacy'
      : `has_type is distinct from ${quoteLiteral(type)}${keepsOwnType ? '' : ` or has_legacy is distinct from ${quoteLiteral(type)}`}`
  // Application triggers may change the row back before the dual-write trigger fires: then the row shows nothing.
  const successCondition = direction === 'legacy' && !keepsOwnType ? `has_type = ${quoteLiteral(type)}` : 'true'
  const comparison = direction === 'legacy' && keepsOwnType ? '=' : '<>'
  // Values of the row decide whether it can become this type.
  const canRestore =
    restores && !keepsOwnType && !isRestoreDecided(rollout, type)
      ? ` and exists (select from ${name} as t where ${rowCondition} and ${rollout.derive(restoredRow(rollout, type, 't'))} = ${typeLiteral})`
      : ''
  const donated = keepsOwnType ? [] : tiedColumns.filter((column) => restored.every(([name]) => name !== column))
  const donor = `(donors->${quoteLiteral(type)})`
  const donatedSql = donated.map(
    (column) =>
      `${quoteIdentifier(column)} = (select d.${quoteIdentifier(column)} from ${name} as d where ${compareKeys(table.key, '=', keyColumns(table.key, 'd'), keyElements(table.key, donor))})`,
  )
  const update = (sets: string): string => `update ${name} as t set ${sets} where ${rowCondition};`
  return `if ${quoteLiteral(direction)} <> all (shown) and place.was ${comparison} ${quoteLiteral(type)} then
      <<tries>>
      for try in 0..${donated.length === 0 ? 0 : 1} loop
      begin
        if true${canRestore} then
          possible := possible || ${quoteLiteral(direction)}::text;
          ${donated.length === 0 ? update(set) : `if try = 0 then ${update(set)} else ${update([set, ...donatedSql].join(', '))} end if;`}
          if not found then continue rows; end if;
          ${readBackSql};
          raise exception 'undone' using errcode = '${UNDO_SQLSTATE}';
        end if;
      exception
        when sqlstate '${UNDO_SQLSTATE}' then
          if ${faultCondition} then
            fault := jsonb_build_object('way', ${quoteLiteral(direction)}, 'wrote', ${quoteLiteral(type)}, 'type', has_type, 'legacy', has_legacy);
            exit rows;
          elsif ${successCondition} then shown := shown || ${quoteLiteral(direction)}::text;
          else
            refused := 'the application sets another ${direction === 'legacy' ? 'legacy value' : 'type'}';
            refused_by := refused;
          end if;
        when lock_not_available or deadlock_detected then
          locked := locked + 1; continue rows;
        when others then
          get stacked diagnostics clash = constraint_name;
          ${donated.length === 0 ? '' : `if try = 0 and sqlstate = '23514' and donors ? ${quoteLiteral(type)} then continue tries; end if;`}
          refused := sqlstate || ' ' || sqlerrm;
          refused_by := concat_ws(' ', sqlstate, nullif(clash, ''));
          if clash = 'sti_conflict' then
            fault := jsonb_build_object('way', ${quoteLiteral(direction)}, 'wrote', ${quoteLiteral(type)}, 'type', null, 'legacy', null);
            exit rows;
          end if;
      end;
      exit tries;
      end loop;
    end if;`
}
