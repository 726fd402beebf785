import type { Change } from '../engine/ddl.ts'
import { look } from '../engine/look.ts'
import { literal, quote } from '../rollout/names.ts'
import { cannotRaise } from '../rollout/raise.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { conflict, count } from './conflict.ts'
import { counterSql, RESOLUTIONS } from './counter.ts'
import { deriveBody, deriveFunction, deriving, dollarQuoted, functionName } from './trigger.ts'
import { defaultsOf, holdsDefault, sameImage, untouched } from './untouched.ts'

/** What a function says of itself that serves both ways, with these defaults of the legacy columns. */
export const BOTH_WAYS = '-- both ways'
export const bothWaysMark = (rollout: Rollout, table: Pick<Table, 'columns'>): string =>
  `${BOTH_WAYS}, a column that nobody gave holds its default, of ${defaultsOf(table, watched(rollout))}`

/**
 * The dual-write function once coverage is verified. The trigger stays as it is, so the change takes no lock on the table.
 *
 * Of a row whose type is not what its legacy columns say:
 * - no type was given, or the write is the engine's: the type follows the legacy columns;
 * - only legacy columns were changed: the same;
 * - only the type was: the legacy columns follow by `restore`. Those that the write changed itself stay, if with the
 *   others restored they say that type;
 * - else it says two things: a conflict, which `conflicts` of the file decides;
 * - nothing was changed, so somebody had written past this trigger: the legacy columns are the truth, and it is counted;
 * - a type that the file does not name is left to the CHECK constraint.
 *
 * With `restore: none` a type that was written alone or inserted stays, until the legacy columns come to say something
 * else; they never follow it.
 *
 * It raises in one case only: a conflict under `conflicts: refuse`, which is the file's wish. Not where a subscription
 * applies changes: it would stop there, so the legacy columns win.
 */
export function restoreFunction(rollout: Rollout, table: Table): Change {
  const safe = cannotRaise(rollout, table)
  const name = functionName(rollout)
  const carried = rollout.file.restore !== 'none'
  const body = `declare
  type_given ${rollout.discriminator.dataType} := new.${rollout.discriminator.sql};
  legacy_says ${rollout.discriminator.dataType};
  ${carried ? 'written record;\n  now_says' : 'legacy_said'} ${rollout.discriminator.dataType};
begin
${deriving(rollout, 'new', 'legacy_says', safe)}
  if type_given is not distinct from legacy_says then
    return new;
  end if;
  if type_given is null or ${byDefault(table)}current_setting('sti.engine', true) = 'on' then
    ${assignType(rollout)} return new;
  end if;
${carried ? carriedBack(rollout, table, safe) : kept(rollout, table, safe)}
end`
  const counters = RESOLUTIONS.map((resolution) => `create sequence if not exists ${counterSql(rollout, resolution)}`)
  return {
    kind: 'restore',
    object: `${name} both ways`,
    statement: [
      ...counters,
      `create or replace function ${name}() returns trigger language plpgsql security definer
      set search_path = ${rollout.searchPath} as ${dollarQuoted(`-- rollout file ${rollout.hash}\n${bothWaysMark(rollout, table)}\n${body}`)}`,
      `revoke execute on function ${name}() from public`,
    ].join(';\n      '),
    inverse: deriveFunction(rollout, safe).statement,
    look: look.function(name),
    back: deriveBody(rollout, safe),
  }
}

/** With a default of the type every INSERT of old code holds one: it says nothing. */
function byDefault({ discriminator }: Table): string {
  if (discriminator === null || discriminator.default === null) return ''
  return `tg_op = 'INSERT' and ${holdsDefault(discriminator)} or `
}

function carriedBack(rollout: Rollout, table: Table, safe: boolean): string {
  const restored = (where: 'untouched' | 'all'): string =>
    cases(rollout, (type) =>
      [...rollout.restoreOf(type)!].map(([name, constant]) => {
        const column = table.columns.find((one) => one.name === name)!
        const set = `new.${quote(name)} := ${constant}\n;`
        return where === 'all' ? set : `if ${untouched(column)} then ${set} end if;`
      }),
    )
  return `  if tg_op = 'UPDATE' and type_given is not distinct from old.${rollout.discriminator.sql} then
    if ${sameImage(columns(rollout, 'new'), columns(rollout, 'old'))} then
      ${count(rollout, table, 'legacy')}
    end if;
    ${assignType(rollout)} return new;
  end if;
  ${leaveUnknown(rollout)}
  written := new;
  ${restored('untouched')}
${deriving(rollout, 'new', 'now_says', safe)}
  if now_says is not distinct from type_given then
    return new;
  end if;
  new := written;
  ${conflict(rollout, table, { legacyWins: assignType(rollout), typeWins: restored('all') })}
  return new;`
}

/** An INSERT may be the second half of a move between partitions, and then gives what an UPDATE has kept. */
function kept(rollout: Rollout, table: Table, safe: boolean): string {
  return `  if tg_op = 'INSERT' then
    return new;
  end if;
${deriving(rollout, 'old', 'legacy_said', safe)}
  if legacy_said is not distinct from legacy_says then
    return new;
  end if;
  if type_given is not distinct from old.${rollout.discriminator.sql} then
    ${assignType(rollout)} return new;
  end if;
  ${leaveUnknown(rollout)}
  ${conflict(rollout, table, { legacyWins: assignType(rollout), typeWins: '' })}
  return new;`
}

function cases(rollout: Rollout, statements: (type: string) => readonly string[]): string {
  const { dataType } = rollout.discriminator
  const branches = rollout.types.map(
    (type) =>
      `when type_given is not distinct from ${literal(type)}::${dataType} then\n    ${[...statements(type), 'null;'].join('\n    ')}`,
  )
  return `case\n  ${branches.join('\n  ')}\n  end case;`
}

/** A type that the file does not name: the CHECK constraint of finalize refuses it by its name. */
function leaveUnknown({ types, discriminator }: Rollout): string {
  const known = types.map((type) => `${literal(type)}::${discriminator.dataType}`)
  return `if type_given not in (${known.join(', ')}) then return new; end if;`
}

const assignType = ({ discriminator }: Rollout): string => `new.${discriminator.sql} := legacy_says;`
const columns = ({ reads }: Rollout, row: string): string => reads.map((name) => `${row}.${quote(name)}`).join(', ')

/** The type, and the legacy columns that a restore writes or a condition reads. */
function watched(rollout: Rollout): string[] {
  return [
    ...new Set([
      rollout.discriminator.column,
      ...rollout.reads,
      ...rollout.types.flatMap((type) => [...(rollout.restoreOf(type)?.keys() ?? [])]),
    ]),
  ]
}
