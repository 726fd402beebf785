import { SEARCH_PATH } from '../database/connect.ts'
import type { ReversibleChange } from '../ddl/transactional.ts'
import { catalogDefinition } from '../ddl/catalogDefinition.ts'
import { quoteIdentifier, quoteLiteral } from '../rollout/identifiers.ts'
import type { Rollout, Table, Trigger } from '../rollout/rollout.ts'
import { columnShapeGuard, recordColumns } from './columnShape.ts'

/** Fires after every trigger with a name of letters and digits, and so after the application's own triggers. */
export const DERIVE_TRIGGER_NAME = '~sti_derive'

/** Triggers that could change a row after the dual-write trigger has derived its type. */
export function findLaterTriggers(triggers: readonly Trigger[]): Trigger[] {
  return triggers.filter(
    (trigger) =>
      trigger.timing === 'before' &&
      trigger.forEachRow &&
      (trigger.onInsert || trigger.onUpdate) &&
      !trigger.ours &&
      trigger.name > DERIVE_TRIGGER_NAME,
  )
}

export function deriveFunctionName(rollout: Pick<Rollout, 'name'>): string {
  return `sti.${quoteIdentifier(`derive_${rollout.name}`)}`
}

/**
 * The function of the dual-write trigger: derives the type from the legacy columns of the row and never raises. An
 * expression that might raise runs in an exception block, which costs a subtransaction per row; an expression of columns,
 * constants, and comparisons does not need one.
 */
export function deriveFunctionChange(
  rollout: Rollout,
  cannotRaise: boolean,
  table: Pick<Table, 'columns'>,
): ReversibleChange {
  const name = deriveFunctionName(rollout)
  return {
    kind: 'function',
    object: name,
    statement: `create or replace function ${name}() returns trigger language plpgsql security definer
      set search_path = ${SEARCH_PATH} as ${dollarQuote(deriveFunctionBody(rollout, cannotRaise, table))};
      ${functionPrivilegesSql(rollout, name)}`,
    inverse: `drop function if exists ${name}()`,
    definitionSql: catalogDefinition.function(name),
    definitionAfterRevert: null,
    before: recordColumns(rollout, table),
  }
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

/** The body of the function, as the catalog stores it. */
export function deriveFunctionBody(rollout: Rollout, cannotRaise: boolean, table: Pick<Table, 'columns'>): string {
  const body = deriveAssignmentSql(rollout, 'new', `new.${rollout.discriminator.sql}`, cannotRaise)
  return `${derivationMark(rollout)}\nbegin\n${columnShapeGuard(rollout, table)}\n${body}\n  return new;\nend`
}

/** PL/pgSQL that assigns the type that the legacy columns of `row` imply; NULL if the expression raises. */
export function deriveAssignmentSql(rollout: Rollout, row: string, target: string, cannotRaise: boolean): string {
  const assign = `${target} := ${rollout.derive(row)};`
  return cannotRaise
    ? `  ${assign}`
    : `  begin\n    ${assign}\n  exception when others then\n    ${target} := null;\n  end;`
}

/**
 * The trigger fires BEFORE INSERT OR UPDATE of any column: a trigger for certain columns does not fire if another trigger
 * changes them. If the expression cannot raise, a WHEN clause skips the function for rows that are right already.
 */
export function deriveTriggerChange(rollout: Rollout, cannotRaise: boolean): ReversibleChange {
  const name = quoteIdentifier(DERIVE_TRIGGER_NAME)
  const table = rollout.table.sql
  const when = cannotRaise ? `when (new.${rollout.discriminator.sql} is distinct from ${rollout.derive('new')})` : ''
  return {
    kind: 'trigger',
    object: `${DERIVE_TRIGGER_NAME} on ${table}`,
    statement: `create or replace trigger ${name} before insert or update on ${table} for each row ${when} execute function ${deriveFunctionName(rollout)}();
      alter table ${table} enable always trigger ${name}`,
    inverse: `drop trigger if exists ${name} on ${table}`,
    definitionSql: catalogDefinition.trigger(table, DERIVE_TRIGGER_NAME),
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
