import type { ReversibleChange } from '../ddl/transactional.ts'
import { catalogDefinition } from '../ddl/catalogDefinition.ts'
import { quoteIdentifier } from '../rollout/identifiers.ts'
import type { Rollout, Trigger } from '../rollout/rollout.ts'

/** Sorts after every name of letters and digits, so that it sees what the application's own triggers wrote. */
export const DERIVE_TRIGGER_NAME = '~sti_derive'

/** Triggers that could change a row after ours has derived its type. */
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
 * The function of the dual-write trigger: it derives the type from the legacy columns of the row being written, and
 * never raises. An expression that might raise is derived in an exception block, which costs a subtransaction for
 * each row; one of columns, constants and comparisons goes without.
 */
export function deriveFunctionChange(rollout: Rollout, cannotRaise: boolean): ReversibleChange {
  const name = deriveFunctionName(rollout)
  return {
    kind: 'function',
    object: name,
    statement: `create or replace function ${name}() returns trigger language plpgsql security definer
      set search_path = ${rollout.searchPath} as ${dollarQuote(deriveFunctionBody(rollout, cannotRaise))};
      revoke execute on function ${name}() from public`,
    inverse: `drop function if exists ${name}()`,
    definitionSql: catalogDefinition.function(name),
    definitionAfterRevert: null,
  }
}

/** The function's text, as the catalog keeps it. */
export function deriveFunctionBody(rollout: Rollout, cannotRaise: boolean): string {
  const body = deriveAssignmentSql(rollout, 'new', `new.${rollout.discriminator.sql}`, cannotRaise)
  return `-- rollout file ${rollout.hash}\nbegin\n${body}\n  return new;\nend`
}

/** A statement that assigns what the legacy columns of `row` say; NULL where the expression raises. */
export function deriveAssignmentSql(rollout: Rollout, row: string, target: string, cannotRaise: boolean): string {
  const assign = `${target} := ${rollout.derive(row)};`
  return cannotRaise
    ? `  ${assign}`
    : `  begin\n    ${assign}\n  exception when others then\n    ${target} := null;\n  end;`
}

/**
 * BEFORE INSERT OR UPDATE of any column: another trigger's change does not fire one that is bound to columns. Where
 * the expression cannot raise, the WHEN clause keeps rows that are already right from calling the function at all.
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

/** A text as a string constant that holds whatever it holds. */
export function dollarQuote(text: string): string {
  let tag = '$sti$'
  for (let n = 0; text.includes(tag); n++) tag = `$sti${n}$`
  return `${tag}${text}${tag}`
}
