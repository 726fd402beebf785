import { SEARCH_PATH } from '../database/connect.ts'
import type { ReversibleChange } from '../ddl/transactional.ts'
import { catalogDefinition } from '../ddl/catalogDefinition.ts'
import { keyAsJson } from '../engine/keys.ts'
import { cannotRaise } from '../rollout/cannotRaise.ts'
import { DERIVE_TRIGGER_NAME } from '../rollout/laterTriggers.ts'
import { boundedName, quoteIdentifier, quoteLiteral } from '../rollout/identifiers.ts'
import type { RestoreValue, Rollout, Table } from '../rollout/rollout.ts'
import { valueDiffersSql } from '../rollout/valueComparison.ts'
import { functionSettingsSql } from './functionSettings.ts'
import { columnShapeGuard, recordColumns } from './columnShape.ts'
import { createConflictCountersSql } from './conflictCounts.ts'
import { CORRECTION_VARIABLES, countCorrectionSql } from './correctionSql.ts'
import { deriveAssignmentSql } from './deriveAssignment.ts'

/** Fires right before the dual-write trigger, for some rows that are inserted. */
export const COMPLETE_TRIGGER_NAME = '~sti_complete'
/** Fires right after it, for rows that may move to another partition. */
export const MOVE_TRIGGER_NAME = '~sti_move'
/** The names that a dual-write trigger can have. */
export const DUAL_WRITE_TRIGGER_NAMES = [COMPLETE_TRIGGER_NAME, DERIVE_TRIGGER_NAME, MOVE_TRIGGER_NAME]

export function deriveFunctionName(rollout: Pick<Rollout, 'name'>): string {
  return `sti.${quoteIdentifier(`derive_${rollout.name}`)}`
}

/** The function of the trigger on rows that may move. */
export function moveFunctionName(rollout: Pick<Rollout, 'name'>): string {
  return `sti.${quoteIdentifier(boundedName('move', rollout.name))}`
}

/**
 * The function of the dual-write trigger: derives the type from the legacy columns of the row and never raises. An
 * expression that might raise runs in an exception block, which costs a subtransaction per row; an expression of columns,
 * constants, and comparisons does not need one. It counts the writes that would be conflicts after finalize.
 */
export function deriveFunctionChange(rollout: Rollout, cannotRaise: boolean, table: Table): ReversibleChange {
  const name = deriveFunctionName(rollout)
  return {
    kind: 'function',
    object: name,
    statement: `${createConflictCountersSql(rollout, ['corrected']).join(';\n      ')};
      create or replace function ${name}() returns trigger language plpgsql security definer
      ${functionSettingsSql(rollout, table)} as ${dollarQuote(deriveFunctionBody(rollout, cannotRaise, table))};
      ${functionPrivilegesSql(rollout, name)}`,
    inverse: dropTriggerFunctionSql(name),
    definitionSql: catalogDefinition.function(name),
    definitionAfterRevert: null,
    before: recordColumns(rollout, table),
  }
}

/**
 * Drops a function of a dual-write trigger. If the application replaced the table by another of its name, the earlier one
 * still has the trigger, which goes first.
 */
function dropTriggerFunctionSql(name: string): string {
  const dropTriggers = `declare found record;
    begin
      for found in select t.tgname, t.tgrelid::regclass as relation from pg_trigger t
        where t.tgfoid = to_regprocedure(${quoteLiteral(`${name}()`)}) and t.tgparentid = 0
      loop
        execute format('drop trigger %I on %s', found.tgname, found.relation);
      end loop;
    end`
  return `do ${dollarQuote(dropTriggers)};
    drop function if exists ${name}()`
}

/** The owner of the table may add partitions, whose triggers are created with the owner's privileges. */
export function functionPrivilegesSql(rollout: Rollout, name: string): string {
  const grant = `begin
        execute format('grant execute on function %s() to %I', ${quoteLiteral(name)}, (select pg_get_userbyid(relowner) from pg_class where oid = ${quoteLiteral(rollout.table.sql)}::regclass));
      end`
  return `revoke execute on function ${name}() from public;
      do ${dollarQuote(grant)}`
}

/** Marks a function with what it derives. */
export const derivationMark = ({ derivationHash }: Pick<Rollout, 'derivationHash'>): string =>
  `-- derivation ${derivationHash}`

/**
 * The body of the function, as the catalog stores it. Its variables are of types of PostgreSQL only: a variable of a type
 * that the application drops would fail every write before the guard of the columns runs.
 */
export function deriveFunctionBody(rollout: Rollout, cannotRaise: boolean, table: Table): string {
  const type = `new.${rollout.discriminator.sql}`
  return `${derivationMark(rollout)}
declare
${CORRECTION_VARIABLES}
begin
${columnShapeGuard(rollout, table)}
  type_given := ${type};
${deriveAssignmentSql(rollout, 'new', type, cannotRaise)}
${countCorrectionSql(rollout, table, cannotRaise)}
  return new;
end`
}

/**
 * The trigger fires BEFORE INSERT OR UPDATE of any column: a trigger for certain columns does not fire if another trigger
 * changes them. If the expression cannot raise, a WHEN clause skips the function for rows that are right already.
 */
function deriveTriggerChange(rollout: Rollout, cannotRaise: boolean): ReversibleChange {
  const when = cannotRaise ? `when (new.${rollout.discriminator.sql} is distinct from ${rollout.derive('new')})` : ''
  return triggerChange(rollout, DERIVE_TRIGGER_NAME, 'insert or update', when, deriveFunctionName(rollout))
}

/** Every dual-write trigger of a table, and the functions that only they call. */
export function dualWriteTriggerChanges(rollout: Rollout, table: Table): ReversibleChange[] {
  const neverRaises = cannotRaise(rollout, table)
  const completes = completesInserts(rollout)
  return [
    deriveTriggerChange(rollout, neverRaises),
    // Without its WHEN clause, the dual-write trigger fires for these rows itself.
    ...(completes && neverRaises ? [completeTriggerChange(rollout, table)] : []),
    ...(completes && table.partitionKey.length > 0 ? moveTriggerChanges(rollout, table) : []),
  ]
}

/** The names of the dual-write triggers that a table must have, in the order in which they fire. */
export function dualWriteTriggerNames(rollout: Rollout, table: Table): string[] {
  const completes = completesInserts(rollout)
  return [
    ...(completes && cannotRaise(rollout, table) ? [COMPLETE_TRIGGER_NAME] : []),
    DERIVE_TRIGGER_NAME,
    ...(completes && table.partitionKey.length > 0 ? [MOVE_TRIGGER_NAME] : []),
  ]
}

/** True if an INSERT of a type alone may have to set legacy columns although their defaults imply that type. */
export function completesInserts(rollout: Rollout): boolean {
  return rollout.types.some((type) => writtenValues(rollout, type).length > 0)
}

/**
 * Calls the dual-write function for an INSERT whose type its legacy columns imply already, but which does not have the
 * restored values of that type. A trigger of its own: in the WHEN clause of the dual-write trigger, this condition would
 * call the function for every UPDATE of a row with such values.
 */
function completeTriggerChange(rollout: Rollout, table: Table): ReversibleChange {
  const type = `new.${rollout.discriminator.sql}`
  const branches = rollout.types.flatMap((name) => {
    const values = writtenValues(rollout, name)
    if (values.length === 0) return []
    const differs = values.map(([column, value]) => restoredValueDiffers(table, column, value))
    return [`when ${type} = ${quoteLiteral(name)}::${rollout.discriminator.dataType} then ${differs.join(' or ')}`]
  })
  const condition = `${type} is not null and ${type} is not distinct from ${rollout.derive('new')} and case ${branches.join(' ')} else false end`
  return triggerChange(rollout, COMPLETE_TRIGGER_NAME, 'insert', `when (${condition})`, deriveFunctionName(rollout))
}

/** An expression might raise, which a WHEN clause could not catch: then the function decides. */
function restoredValueDiffers(table: Table, name: string, value: RestoreValue): string {
  if (value.kind === 'expression') return 'true'
  const column = table.columns.find((candidate) => candidate.name === name)!
  return valueDiffersSql(column, `new.${column.sql}`, `cast(${value.sql('new')} as ${column.type})`)
}

const writtenValues = (rollout: Rollout, type: string): [string, RestoreValue][] =>
  [...(rollout.restoreValues(type) ?? [])].filter(([, value]) => value.kind !== 'keep')

/** The setting that holds the key of a row while it moves to another partition. */
export const MOVED_ROW_SETTING = 'sti.moved_row'

/**
 * An UPDATE that moves a row to another partition fires the INSERT triggers of that partition, and a trigger cannot tell
 * such an INSERT from one of the application. This trigger leaves the row's key for them in a setting of the transaction.
 */
function moveTriggerChanges(rollout: Rollout, table: Table): ReversibleChange[] {
  const name = moveFunctionName(rollout)
  const body = `begin\n  perform set_config(${quoteLiteral(MOVED_ROW_SETTING)}, ${keyAsJson(table.key, 'new')}::text, true);\n  return new;\nend`
  const row = (alias: string): string =>
    `row(${table.partitionKey.map((column) => `${alias}.${quoteIdentifier(column)}`).join(', ')})::record`
  const functionChange: ReversibleChange = {
    kind: 'function',
    object: name,
    statement: `create or replace function ${name}() returns trigger language plpgsql security definer
      set search_path = ${SEARCH_PATH} as ${dollarQuote(body)};
      ${functionPrivilegesSql(rollout, name)}`,
    inverse: dropTriggerFunctionSql(name),
    definitionSql: catalogDefinition.function(name),
    definitionAfterRevert: null,
  }
  const when = `when (${row('new')} operator(pg_catalog.*<>) ${row('old')})`
  return [functionChange, triggerChange(rollout, MOVE_TRIGGER_NAME, 'update', when, name)]
}

function triggerChange(
  rollout: Rollout,
  trigger: string,
  events: 'insert' | 'update' | 'insert or update',
  when: string,
  functionName: string,
): ReversibleChange {
  const name = quoteIdentifier(trigger)
  const table = rollout.table.sql
  return {
    kind: 'trigger',
    object: `${trigger} on ${table}`,
    statement: `create or replace trigger ${name} before ${events} on ${table} for each row ${when} execute function ${functionName}();
      alter table ${table} enable always trigger ${name}`,
    inverse: `drop trigger if exists ${name} on ${table}`,
    definitionSql: catalogDefinition.trigger(table, trigger),
    definitionAfterRevert: null,
  }
}

/** Quotes any text as a dollar-quoted string constant. */
export function dollarQuote(text: string): string {
  let tag = '$sti$'
  // The end of the text and the tag may form another tag.
  for (let n = 0; `${text}${tag}`.indexOf(tag) < text.length; n++) tag = `$sti${n}$`
  return `${tag}${text}${tag}`
}
