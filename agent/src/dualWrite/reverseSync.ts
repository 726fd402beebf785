import { SEARCH_PATH } from '../database/connect.ts'
import type { ReversibleChange } from '../ddl/transactional.ts'
import { catalogDefinition } from '../ddl/catalogDefinition.ts'
import { quoteLiteral, quoteIdentifier } from '../rollout/identifiers.ts'
import { cannotRaise } from '../rollout/cannotRaise.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { columnShapeGuard, dualWriteColumns, recordColumns } from './columnShape.ts'
import { conflictSql, countConflictSql } from './conflictSql.ts'
import { conflictSequenceSql, CONFLICT_RESOLUTIONS } from './conflictCounts.ts'
import {
  deriveFunctionBody,
  deriveFunctionChange,
  deriveAssignmentSql,
  derivationMark,
  dollarQuote,
  deriveFunctionName,
} from './deriveTrigger.ts'
import { columnDefaultsJson, holdsDefaultSql, sameImageSql, columnUnchangedSql } from './unchangedColumnSql.ts'

/** Marks a function with reverse sync; the mark includes the column defaults that the function was created with. */
export const REVERSE_SYNC_PREFIX = '-- both ways'
export const reverseSyncMark = (rollout: Rollout, table: Pick<Table, 'columns'>): string =>
  `${REVERSE_SYNC_PREFIX}, a column that nobody gave holds its default, of ${columnDefaultsJson(table, dualWriteColumns(rollout))}`

/**
 * Replaces the dual-write function once coverage is verified. The trigger stays, so the change takes no lock on the table.
 *
 * If the type of a row differs from the type that its legacy columns imply:
 * - The write sets no type, or the engine writes: the type follows the legacy columns.
 * - The write changes only legacy columns: the type follows them.
 * - The write changes only the type: the legacy columns follow as `restore` says. Legacy columns that the same write
 *   changed stay, if they and the restored ones imply that type.
 * - The write changes both and they disagree: a conflict, which `conflicts` of the rollout file decides.
 * - The write changes neither: an earlier write bypassed the trigger. The type follows the legacy columns, and the
 *   conflict is counted.
 * - The type is not in the rollout file: the CHECK constraint refuses it.
 *
 * With `restore: none`, legacy columns never follow. A type that is written alone or inserted stays until the legacy
 * columns imply another type.
 *
 * The function raises only for a conflict with `conflicts: refuse`, and never while a subscription applies changes, which
 * would stop it: then the legacy columns win.
 */
export function reverseSyncChange(rollout: Rollout, table: Table): ReversibleChange {
  const neverRaises = cannotRaise(rollout, table)
  const name = deriveFunctionName(rollout)
  const restoresLegacy = rollout.file.restore !== 'none'
  const body = `declare
  type_given ${rollout.discriminator.dataType};
  legacy_says ${rollout.discriminator.dataType};
  ${restoresLegacy ? 'written record;\n  now_says' : 'legacy_said'} ${rollout.discriminator.dataType};
begin
${columnShapeGuard(rollout, table)}
  type_given := new.${rollout.discriminator.sql};
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
      set search_path = ${SEARCH_PATH} as ${dollarQuote(`${derivationMark(rollout)}\n${reverseSyncMark(rollout, table)}\n${body}`)}`,
      `revoke execute on function ${name}() from public`,
    ].join(';\n      '),
    inverse: deriveFunctionChange(rollout, neverRaises, table).statement,
    definitionSql: catalogDefinition.function(name),
    definitionAfterRevert: deriveFunctionBody(rollout, neverRaises, table),
    before: recordColumns(rollout, table),
  }
}

/** If the type has a default, every INSERT of old code has that type, which then counts as not set. */
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

/** An INSERT may be the second half of a move between partitions; then it has the type that the UPDATE kept. */
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

/** Leaves a type that is not in the rollout file to the CHECK constraint of finalize, which refuses it. */
function leaveUnknownTypeSql({ types, discriminator }: Rollout): string {
  const knownTypes = types.map((type) => `${quoteLiteral(type)}::${discriminator.dataType}`)
  return `if type_given not in (${knownTypes.join(', ')}) then return new; end if;`
}

const assignTypeSql = ({ discriminator }: Rollout): string => `new.${discriminator.sql} := legacy_says;`
const columnListSql = ({ conditionColumns: reads }: Rollout, row: string): string =>
  reads.map((name) => `${row}.${quoteIdentifier(name)}`).join(', ')
