import { SEARCH_PATH } from '../database/connect.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { dollarQuote } from '../dualWrite/deriveTrigger.ts'

/** Rows that are tried to find one that the application can write today. */
const MAX_CANDIDATE_ROWS = 10
/** Undoes a trial write. No other code raises it. */
const UNDO_SQLSTATE = 'STI02'

/**
 * SQL that writes one existing row before and after the change, with every column unchanged, and undoes both writes. It
 * finds application triggers that copy whole rows (`select new.*`) and would fail on every write after the change. Rows
 * that the application cannot write before the change are skipped. A trigger that does not find a name in the agent's
 * search path fails at once: it would fail for every row of the backfill.
 */
export function trialWriteSql(rollout: Rollout, table: Table): { before: string[]; after: string[] } {
  const selfAssignments = table.columns
    .filter((column) => !column.generated && column.identity !== 'always' && column !== table.discriminator)
    .map((column) => `${column.sql} = ${column.sql}`)
  const writeSql = (columns: readonly string[], row: string): string => `
      begin
        set constraints all immediate;
        update ${rollout.table.sql} set ${columns.join(', ')} where ctid = ${row};
        raise exception 'undone' using errcode = '${UNDO_SQLSTATE}';
      exception when sqlstate '${UNDO_SQLSTATE}' then`
  const firstWriteBlock = `declare place tid; begin
    for place in select ctid from ${rollout.table.sql} limit ${MAX_CANDIDATE_ROWS} loop ${writeSql(selfAssignments, 'place')}
          perform set_config('sti.probe', place::text, true); exit;
        when undefined_table or undefined_function or undefined_object then raise;
        when others then null;
      end;
    end loop;
  end`
  const secondWriteBlock = `begin
    if current_setting('sti.probe', true) <> '' then ${writeSql([`${rollout.discriminator.sql} = null`, ...selfAssignments], `current_setting('sti.probe')::tid`)}
        null;
      end;
    end if;
  end`
  const withTriggerSearchPath = (statement: string): string[] => [
    `set local search_path = ${table.triggerSearchPath}`,
    statement,
    `set local search_path = ${SEARCH_PATH}`,
  ]
  return {
    before: [
      `lock table ${rollout.table.sql} in access exclusive mode`,
      // With sti.engine on, an application trigger might skip the trial write.
      `set local "sti.engine" = 'off'`,
      ...withTriggerSearchPath(`do ${dollarQuote(firstWriteBlock)}`),
    ],
    // A plan that was cached by the first write would still copy the old columns; other sessions have no such plan.
    after: ['discard plans', ...withTriggerSearchPath(`do ${dollarQuote(secondWriteBlock)}`)],
  }
}
