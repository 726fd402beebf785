import type { ReversibleChange } from '../ddl/transactional.ts'
import { catalogDefinition } from '../ddl/catalogDefinition.ts'
import { quoteLiteral, quoteIdentifier } from '../rollout/identifiers.ts'
import { cannotRaise } from '../rollout/cannotRaise.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { conflictSql, countConflictSql } from './conflictSql.ts'
import { conflictSequenceSql, CONFLICT_RESOLUTIONS } from './conflictSequences.ts'
import {
  deriveFunctionBody,
  deriveFunctionChange,
  deriveAssignmentSql,
  dollarQuote,
  deriveFunctionName,
} from './deriveTrigger.ts'
import { columnDefaultsJson, holdsDefaultSql, sameImageSql, columnUnchangedSql } from './unchangedColumnSql.ts'

/** What a function says of itself that serves both ways, with these defaults of the legacy columns. */
export const REVERSE_SYNC_PREFIX = '-- both ways'
export const reverseSyncMark = (rollout: Rollout, table: Pick<Table, 'columns'>): string =>
  `${REVERSE_SYNC_PREFIX}, a column that nobody gave holds its default, of ${columnDefaultsJson(table, watchedColumns(rollout))}`

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
export function reverseSyncChange(rollout: Rollout, table: Table): ReversibleChange {
  const neverRaises = cannotRaise(rollout, table)
  const name = deriveFunctionName(rollout)
  const restoresLegacy = rollout.file.restore !== 'none'
  const body = `declare
  type_given ${rollout.discriminator.dataType} := new.${rollout.discriminator.sql};
  legacy_says ${rollout.discriminator.dataType};
  ${restoresLegacy ? 'written record;\n  now_says' : 'legacy_said'} ${rollout.discriminator.dataType};
begin
${deriveAssignmentSql(rollout, 'new', 'legacy_says', neverRaises)}
  if type_given is not distinct from legacy_says then
    return new;
  end if;
  if type_given is null or ${insertDefaultCondition(table)}current_setting('sti.engine', true) = 'on' then
    ${assignTypeSql(rollout)} return new;
  end if;
${restoresLegacy ? restoreLegacyBody(rollout, table, neverRaises) : keepTypeBody(rollout, table, neverRaises)}
end`
  const counters = CONFLICT_RESOLUTIONS.map(
    (resolution) => `create sequence if not exists ${conflictSequenceSql(rollout, resolution)}`,
  )
  return {
    kind: 'restore',
    object: `${name} both ways`,
    statement: [
      ...counters,
      `create or replace function ${name}() returns trigger language plpgsql security definer
      set search_path = ${rollout.searchPath} as ${dollarQuote(`-- rollout file ${rollout.hash}\n${reverseSyncMark(rollout, table)}\n${body}`)}`,
      `revoke execute on function ${name}() from public`,
    ].join(';\n      '),
    inverse: deriveFunctionChange(rollout, neverRaises).statement,
    definitionSql: catalogDefinition.function(name),
    definitionAfterRevert: deriveFunctionBody(rollout, neverRaises),
  }
}

/** With a default of the type every INSERT of old code holds one: it says nothing. */
function insertDefaultCondition({ discriminator }: Table): string {
  if (discriminator === null || discriminator.default === null) return ''
  return `tg_op = 'INSERT' and ${holdsDefaultSql(discriminator)} or `
}

function restoreLegacyBody(rollout: Rollout, table: Table, neverRaises: boolean): string {
  const restored = (scope: 'untouched' | 'all'): string =>
    typeCases(rollout, (type) =>
      [...rollout.restoreValues(type)!].map(([name, constant]) => {
        const column = table.columns.find((candidate) => candidate.name === name)!
        const set = `new.${quoteIdentifier(name)} := ${constant}\n;`
        return scope === 'all' ? set : `if ${columnUnchangedSql(column)} then ${set} end if;`
      }),
    )
  return `  if tg_op = 'UPDATE' and type_given is not distinct from old.${rollout.discriminator.sql} then
    if ${sameImageSql(columnListSql(rollout, 'new'), columnListSql(rollout, 'old'))} then
      ${countConflictSql(rollout, table, 'legacy')}
    end if;
    ${assignTypeSql(rollout)} return new;
  end if;
  ${leaveUnknownTypeSql(rollout)}
  written := new;
  ${restored('untouched')}
${deriveAssignmentSql(rollout, 'new', 'now_says', neverRaises)}
  if now_says is not distinct from type_given then
    return new;
  end if;
  new := written;
  ${conflictSql(rollout, table, { legacyWins: assignTypeSql(rollout), typeWins: restored('all') })}
  return new;`
}

/** An INSERT may be the second half of a move between partitions, and then gives what an UPDATE has kept. */
function keepTypeBody(rollout: Rollout, table: Table, neverRaises: boolean): string {
  return `  if tg_op = 'INSERT' then
    return new;
  end if;
${deriveAssignmentSql(rollout, 'old', 'legacy_said', neverRaises)}
  if legacy_said is not distinct from legacy_says then
    return new;
  end if;
  if type_given is not distinct from old.${rollout.discriminator.sql} then
    ${assignTypeSql(rollout)} return new;
  end if;
  ${leaveUnknownTypeSql(rollout)}
  ${conflictSql(rollout, table, { legacyWins: assignTypeSql(rollout), typeWins: '' })}
  return new;`
}

function typeCases(rollout: Rollout, statements: (type: string) => readonly string[]): string {
  const { dataType } = rollout.discriminator
  const branches = rollout.types.map(
    (type) =>
      `when type_given is not distinct from ${quoteLiteral(type)}::${dataType} then\n    ${[...statements(type), 'null;'].join('\n    ')}`,
  )
  return `case\n  ${branches.join('\n  ')}\n  end case;`
}

/** A type that the file does not name: the CHECK constraint of finalize refuses it by its name. */
function leaveUnknownTypeSql({ types, discriminator }: Rollout): string {
  const knownTypes = types.map((type) => `${quoteLiteral(type)}::${discriminator.dataType}`)
  return `if type_given not in (${knownTypes.join(', ')}) then return new; end if;`
}

const assignTypeSql = ({ discriminator }: Rollout): string => `new.${discriminator.sql} := legacy_says;`
const columnListSql = ({ conditionColumns: reads }: Rollout, row: string): string =>
  reads.map((name) => `${row}.${quoteIdentifier(name)}`).join(', ')

/** The type, and the legacy columns that a restore writes or a condition reads. */
function watchedColumns(rollout: Rollout): string[] {
  return [
    ...new Set([
      rollout.discriminator.column,
      ...rollout.conditionColumns,
      ...rollout.types.flatMap((type) => [...(rollout.restoreValues(type)?.keys() ?? [])]),
    ]),
  ]
}
