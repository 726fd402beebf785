import type { Sql } from '../database/connect.ts'
import { errorCode, errorMessage } from '../database/errors.ts'
import { keyAsJson, type Key } from '../engine/keys.ts'
import { quoteLiteral, quoteIdentifier } from '../rollout/identifiers.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { dollarQuote } from './deriveTrigger.ts'

/** How many rows are tried, one after the other, until one shows it. */
const MAX_CANDIDATE_ROWS = 20
/** Undoes one write of the canary. */
const UNDO_SQLSTATE = 'STI02'
/** Ends the canary, with what it saw as its message: nothing of it can be committed. */
const RESULT_SQLSTATE = 'STI03'

/** Which side is written, so that the other one has to follow. */
export type SyncDirection = 'legacy' | 'type'

/** What the canary has seen. */
export interface CanaryResult {
  /** The ways in which a row was seen to follow. */
  readonly shown: readonly SyncDirection[]
  readonly looked: number
  /** Rows that somebody else held for longer than 100 ms. */
  readonly locked: number
  /** Of the last row that was tried. */
  readonly key: Key | null
  /** The first write after which type and legacy columns were not what they must be. */
  readonly fault: {
    readonly way: SyncDirection
    readonly wrote: string
    readonly type: string | null
    readonly legacy: string | null
  } | null
  /** Why the application would not have a row changed: SQLSTATE and message. */
  readonly refused: string | null
}

/**
 * Writes one existing row as old code would, and as new code would, looks at it, and takes it back: one statement, which
 * always ends in an error. `sql` is a connection of its own that may write.
 */
export async function runCanaryWrite(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  directions: readonly SyncDirection[],
): Promise<CanaryResult> {
  try {
    await sql.unsafe(`do ${dollarQuote(canaryBlockSql(rollout, table, directions))}`)
  } catch (error) {
    if (errorCode(error) === RESULT_SQLSTATE) return JSON.parse(errorMessage(error)) as CanaryResult
    throw error
  }
  throw new Error('the canary ended without an error, which must not be')
}

function canaryBlockSql(rollout: Rollout, table: Table, directions: readonly SyncDirection[]): string {
  const {
    table: { sql: name },
    discriminator,
  } = rollout
  const keys = table.key.map((column, index) => `t.${column.sql} as k${index}`).join(', ')
  const rowCondition = table.key.map((column, index) => `t.${column.sql} = place.k${index}`).join(' and ')
  const readBackSql = `select t.${discriminator.sql}::text, (${rollout.derive('t')})::text into has_type, has_legacy from ${name} as t where ${rowCondition}`
  const attempts = rollout.types.flatMap((type) =>
    directions.map((direction) =>
      canaryAttemptSql(rollout, type, direction, { here: rowCondition, look: readBackSql }),
    ),
  )
  const exitWhenDone = `if cardinality(shown) = ${directions.length} then exit rows; end if;`
  return `declare
  place record; has_type text; has_legacy text; clash text; fault jsonb; refused text; key jsonb;
  looked int := 0; locked int := 0; shown text[] := '{}';
begin
  perform set_config('lock_timeout', '100ms', true), set_config('sti.engine', 'off', true);
  <<rows>>
  for place in select ${keys}, ${keyAsJson(table.key, 't')} as key, t.${discriminator.sql}::text as was from ${name} as t
    where t.${discriminator.sql} is not null limit ${MAX_CANDIDATE_ROWS} loop
    looked := looked + 1; key := place.key;
    ${attempts.join('\n    ')}
    ${exitWhenDone}
  end loop;
  raise exception using errcode = '${RESULT_SQLSTATE}', message = jsonb_build_object('shown', shown, 'looked', looked,
    'locked', locked, 'key', key, 'fault', fault, 'refused', refused)::text;
end`
}

/** One write of one row, as if it were to become that type, seen and undone. Once is enough for each way. */
function canaryAttemptSql(
  rollout: Rollout,
  type: string,
  direction: SyncDirection,
  sql: { here: string; look: string },
): string {
  const {
    table: { sql: name },
    discriminator,
  } = rollout
  const typeLiteral = quoteLiteral(type)
  const restore = [...(rollout.restoreValues(type) ?? [])].map(
    ([column, constant]) => `${quoteIdentifier(column)} = ${constant}\n`,
  )
  // With restore: none nobody can say what would make a row another type: it must get its own back.
  const keepsOwnType = rollout.file.restore === 'none'
  const set =
    direction === 'type'
      ? `${discriminator.sql} = ${typeLiteral}::${discriminator.dataType}`
      : keepsOwnType
        ? `${discriminator.sql} = null`
        : restore.join(', ')
  const faultCondition =
    direction === 'legacy'
      ? 'has_type is distinct from has_legacy'
      : `has_type is distinct from ${typeLiteral}${keepsOwnType ? '' : ` or has_legacy is distinct from ${typeLiteral}`}`
  // The application's own triggers may change it back before ours looks: then this row shows nothing.
  const successCondition = direction === 'legacy' && !keepsOwnType ? `has_type = ${typeLiteral}` : 'true'
  return `if ${quoteLiteral(direction)} <> all (shown) and place.was ${direction === 'legacy' && keepsOwnType ? '=' : '<>'} ${typeLiteral} then
      begin
        update ${name} as t set ${set} where ${sql.here};
        if not found then continue rows; end if;
        ${sql.look};
        raise exception 'undone' using errcode = '${UNDO_SQLSTATE}';
      exception
        when sqlstate '${UNDO_SQLSTATE}' then
          if ${faultCondition} then
            fault := jsonb_build_object('way', ${quoteLiteral(direction)}, 'wrote', ${typeLiteral}, 'type', has_type, 'legacy', has_legacy);
            exit rows;
          elsif ${successCondition} then shown := shown || ${quoteLiteral(direction)}::text;
          else refused := 'the application itself gives the row another ${direction === 'legacy' ? 'legacy value' : 'type'}'; end if;
        when lock_not_available or deadlock_detected then
          locked := locked + 1; continue rows;
        when others then
          get stacked diagnostics clash = constraint_name;
          refused := sqlstate || ' ' || sqlerrm;
          if clash = 'sti_conflict' then
            fault := jsonb_build_object('way', ${quoteLiteral(direction)}, 'wrote', ${typeLiteral}, 'type', null, 'legacy', null);
            exit rows;
          end if;
      end;
    end if;`
}
