import type { ReversibleChange } from '../ddl/transactional.ts'
import { catalogDefinition } from '../ddl/catalogDefinition.ts'
import { cannotRaise } from '../rollout/cannotRaise.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { columnShapeGuard, dualWriteColumns, recordColumns } from './columnShape.ts'
import { functionSettingsSql } from './functionSettings.ts'
import { conflictSql, countConflictSql } from './conflictSql.ts'
import { CONFLICT_RESOLUTIONS, createConflictCountersSql } from './conflictCounts.ts'
import {
  completesInserts,
  deriveFunctionBody,
  deriveFunctionChange,
  derivationMark,
  dollarQuote,
  deriveFunctionName,
  MOVED_ROW_SETTING,
} from './deriveTrigger.ts'
import { deriveAssignmentSql } from './deriveAssignment.ts'
import { keyAsJson } from '../engine/keys.ts'
import { quoteIdentifier } from '../rollout/identifiers.ts'
import { isRestoreDecided } from '../rollout/restoreValue.ts'
import { sameImageSql } from '../rollout/valueComparison.ts'
import { insertDefaultCondition, restoreSql, typeListSql } from './restoreSql.ts'
import { columnDefaultsJson } from './unchangedColumnSql.ts'

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
 * A type with `restore: none` is kept: legacy columns never follow it. If such a type is written alone or inserted, it stays
 * until the legacy columns imply another type.
 *
 * If the type of an inserted row is what its legacy columns imply, those that the INSERT left at their default get the
 * restored values, too, as far as these still imply that type.
 *
 * The function raises only for a conflict with `conflicts: refuse`, and never while a subscription applies changes, which
 * would stop it: then the legacy columns win.
 */
export function reverseSyncChange(rollout: Rollout, table: Table): ReversibleChange {
  const neverRaises = cannotRaise(rollout, table)
  const name = deriveFunctionName(rollout)
  const keeps = rollout.typesWithoutRestore.length > 0
  const restores = rollout.typesWithoutRestore.length < rollout.types.length
  const dataType = rollout.discriminator.dataType
  const body = `declare
  type_given ${dataType};
  legacy_says ${dataType};
${restores ? `  written record;\n  now_says ${dataType};\n` : ''}${keeps ? `  legacy_said ${dataType};\n` : ''}begin
${columnShapeGuard(rollout, table)}
  type_given := new.${rollout.discriminator.sql};
${deriveAssignmentSql(rollout, 'new', 'legacy_says', neverRaises)}
  if type_given is not distinct from legacy_says then
    ${completesInserts(rollout) ? completeInsertSql(rollout, table, neverRaises) : ''}return new;
  end if;
  if type_given is null or ${insertDefaultCondition(table)}current_setting('sti.engine', true) = 'on' then
    ${assignTypeSql(rollout)} return new;
  end if;
${typeGivenBody(rollout, table, neverRaises)}
end`
  return {
    kind: 'restore',
    object: `${name} both ways`,
    statement: [
      ...createConflictCountersSql(rollout, CONFLICT_RESOLUTIONS),
      `create or replace function ${name}() returns trigger language plpgsql security definer
      ${functionSettingsSql(rollout, table)} as ${dollarQuote(`${derivationMark(rollout)}\n${reverseSyncMark(rollout, table)}\n${body}`)}`,
      `revoke execute on function ${name}() from public`,
    ].join(';\n      '),
    inverse: deriveFunctionChange(rollout, neverRaises, table).statement,
    definitionSql: catalogDefinition.function(name),
    definitionAfterRevert: deriveFunctionBody(rollout, neverRaises, table),
    before: recordColumns(rollout, table),
  }
}

function typeGivenBody(rollout: Rollout, table: Table, neverRaises: boolean): string {
  const keepBody = keepTypeBody(rollout, table, neverRaises)
  if (rollout.typesWithoutRestore.length === rollout.types.length) return keepBody
  const restoreBody = restoreLegacyBody(rollout, table, neverRaises)
  if (rollout.typesWithoutRestore.length === 0) return restoreBody
  return `  if type_given in (${typeListSql(rollout, rollout.typesWithoutRestore)}) then
${keepBody}
  end if;
${restoreBody}`
}

/**
 * PL/pgSQL for an INSERT whose type and legacy columns agree. The second half of a move between partitions is not one: the
 * row exists, and nobody wrote its type.
 */
function completeInsertSql(rollout: Rollout, table: Table, neverRaises: boolean): string {
  const unsetType = insertDefaultCondition(table)
  const moved = `current_setting('${MOVED_ROW_SETTING}', true) is not distinct from ${keyAsJson(table.key, 'new')}::text`
  const skipMovedRow =
    table.partitionKey.length === 0
      ? ''
      : `if ${moved} then
        perform set_config('${MOVED_ROW_SETTING}', '', true);
        return new;
      end if;
      `
  return `if tg_op = 'INSERT' and type_given is not null${unsetType === '' ? '' : ` and not (${unsetType}false)`}
      and current_setting('sti.engine', true) is distinct from 'on' and current_setting('session_replication_role') <> 'replica' then
      ${skipMovedRow}written := new;
      ${restoreSql(rollout, table, 'untouched')}
  ${deriveAssignmentSql(rollout, 'new', 'now_says', neverRaises)}
      if now_says is distinct from type_given then
        new := written;
      end if;
    end if;
    `
}

function restoreLegacyBody(rollout: Rollout, table: Table, neverRaises: boolean): string {
  const alwaysDecided = rollout.types.every(
    (type) => rollout.restoreValues(type) === null || isRestoreDecided(rollout, type),
  )
  const deriveNow = deriveAssignmentSql(rollout, 'new', 'now_says', neverRaises)
  const allRestored = restoreSql(rollout, table, 'all')
  return `  if tg_op = 'UPDATE' and type_given is not distinct from old.${rollout.discriminator.sql} then
    if ${sameImageSql(columnListSql(rollout, 'new'), columnListSql(rollout, 'old'))} then
      ${countConflictSql(rollout, table, 'legacy')}
    end if;
    ${assignTypeSql(rollout)} return new;
  end if;
  ${leaveUnknownTypeSql(rollout)}
  written := new;
  ${restoreSql(rollout, table, 'untouched')}
${deriveNow}
  if now_says is not distinct from type_given then
    return new;
  end if;
  new := written;
  ${conflictSql(rollout, table, {
    legacyWins: assignTypeSql(rollout),
    typeWins: alwaysDecided ? allRestored : `${allRestored}\n${deriveNow}`,
    typeCannotWin: alwaysDecided ? null : 'now_says is distinct from type_given',
  })}
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
  ${conflictSql(rollout, table, { legacyWins: assignTypeSql(rollout), typeWins: '', typeCannotWin: null })}
  return new;`
}

/** Leaves a type that is not in the rollout file to the CHECK constraint of finalize, which refuses it. */
function leaveUnknownTypeSql(rollout: Rollout): string {
  return `if type_given not in (${typeListSql(rollout, rollout.types)}) then return new; end if;`
}

const assignTypeSql = ({ discriminator }: Rollout): string => `new.${discriminator.sql} := legacy_says;`
const columnListSql = ({ conditionColumns: reads }: Rollout, row: string): string =>
  reads.map((name) => `${row}.${quoteIdentifier(name)}`).join(', ')
