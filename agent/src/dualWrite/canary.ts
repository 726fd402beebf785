import type { Sql } from '../database/connect.ts'
import { codeOf, messageOf } from '../engine/errors.ts'
import { keyAsJson, type Key } from '../engine/keys.ts'
import { literal, quote } from '../rollout/names.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { dollarQuoted } from './trigger.ts'

/** How many rows are tried, one after the other, until one shows it. */
const CANDIDATES = 20
/** Undoes one write of the canary. */
const UNDONE = 'STI02'
/** Ends the canary, with what it saw as its message: nothing of it can be committed. */
const TOLD = 'STI03'

/** Which side is written, so that the other one has to follow. */
export type Way = 'legacy' | 'type'

/** What the canary has seen. */
export interface Seen {
  /** The ways in which a row was seen to follow. */
  readonly shown: readonly Way[]
  readonly looked: number
  /** Rows that somebody else held for longer than 100 ms. */
  readonly locked: number
  /** Of the last row that was tried. */
  readonly key: Key | null
  /** The first write after which type and legacy columns were not what they must be. */
  readonly fault: {
    readonly way: Way
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
export async function canary(sql: Sql, rollout: Rollout, table: Table, ways: readonly Way[]): Promise<Seen> {
  try {
    await sql.unsafe(`do ${dollarQuoted(body(rollout, table, ways))}`)
  } catch (error) {
    if (codeOf(error) === TOLD) return JSON.parse(messageOf(error)) as Seen
    throw error
  }
  throw new Error('the canary ended without an error, which must not be')
}

function body(rollout: Rollout, table: Table, ways: readonly Way[]): string {
  const {
    table: { sql: name },
    discriminator,
  } = rollout
  const keys = table.key.map((column, index) => `t.${column.sql} as k${index}`).join(', ')
  const here = table.key.map((column, index) => `t.${column.sql} = place.k${index}`).join(' and ')
  const look = `select t.${discriminator.sql}::text, (${rollout.derive('t')})::text into has_type, has_legacy from ${name} as t where ${here}`
  const attempts = rollout.types.flatMap((type) => ways.map((way) => attempt(rollout, type, way, { here, look })))
  const enough = `if cardinality(shown) = ${ways.length} then exit rows; end if;`
  return `declare
  place record; has_type text; has_legacy text; clash text; fault jsonb; refused text; key jsonb;
  looked int := 0; locked int := 0; shown text[] := '{}';
begin
  perform set_config('lock_timeout', '100ms', true), set_config('sti.engine', 'off', true);
  <<rows>>
  for place in select ${keys}, ${keyAsJson(table.key, 't')} as key, t.${discriminator.sql}::text as was from ${name} as t
    where t.${discriminator.sql} is not null limit ${CANDIDATES} loop
    looked := looked + 1; key := place.key;
    ${attempts.join('\n    ')}
    ${enough}
  end loop;
  raise exception using errcode = '${TOLD}', message = jsonb_build_object('shown', shown, 'looked', looked,
    'locked', locked, 'key', key, 'fault', fault, 'refused', refused)::text;
end`
}

/** One write of one row, as if it were to become that type, seen and undone. Once is enough for each way. */
function attempt(rollout: Rollout, type: string, way: Way, sql: { here: string; look: string }): string {
  const {
    table: { sql: name },
    discriminator,
  } = rollout
  const wanted = literal(type)
  const restore = [...(rollout.restoreOf(type) ?? [])].map(([column, constant]) => `${quote(column)} = ${constant}\n`)
  // With restore: none nobody can say what would make a row another type: it must get its own back.
  const own = rollout.file.restore === 'none'
  const set =
    way === 'type'
      ? `${discriminator.sql} = ${wanted}::${discriminator.dataType}`
      : own
        ? `${discriminator.sql} = null`
        : restore.join(', ')
  const wrong =
    way === 'legacy'
      ? 'has_type is distinct from has_legacy'
      : `has_type is distinct from ${wanted}${own ? '' : ` or has_legacy is distinct from ${wanted}`}`
  // The application's own triggers may change it back before ours looks: then this row shows nothing.
  const shows = way === 'legacy' && !own ? `has_type = ${wanted}` : 'true'
  return `if ${literal(way)} <> all (shown) and place.was ${way === 'legacy' && own ? '=' : '<>'} ${wanted} then
      begin
        update ${name} as t set ${set} where ${sql.here};
        if not found then continue rows; end if;
        ${sql.look};
        raise exception 'undone' using errcode = '${UNDONE}';
      exception
        when sqlstate '${UNDONE}' then
          if ${wrong} then
            fault := jsonb_build_object('way', ${literal(way)}, 'wrote', ${wanted}, 'type', has_type, 'legacy', has_legacy);
            exit rows;
          elsif ${shows} then shown := shown || ${literal(way)}::text;
          else refused := 'the application itself gives the row another ${way === 'legacy' ? 'legacy value' : 'type'}'; end if;
        when lock_not_available or deadlock_detected then
          locked := locked + 1; continue rows;
        when others then
          get stacked diagnostics clash = constraint_name;
          refused := sqlstate || ' ' || sqlerrm;
          if clash = 'sti_conflict' then
            fault := jsonb_build_object('way', ${literal(way)}, 'wrote', ${wanted}, 'type', null, 'legacy', null);
            exit rows;
          end if;
      end;
    end if;`
}
