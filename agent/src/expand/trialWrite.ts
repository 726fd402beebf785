import type { Rollout, Table } from '../rollout/rollout.ts'
import { dollarQuote } from '../dualWrite/deriveTrigger.ts'

/** How many rows are tried to find one that the application could write today. */
const MAX_CANDIDATE_ROWS = 10
/** Undoes a trial write; no error of anybody else. */
const UNDO_SQLSTATE = 'STI02'

/**
 * A trial write of one existing row before the change and again after it, as the application would do it, every column
 * as it is, and taken back each time: a trigger of the application that copies whole rows (`select new.*`) would fail
 * on every write from now on. A row that the application refuses to write anyway proves nothing and is passed over.
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
  return {
    before: [
      `lock table ${rollout.table.sql} in access exclusive mode`,
      // A trigger that skips our batches does not skip the application's writes.
      `set local "sti.engine" = 'off'`,
      `do ${dollarQuote(firstWriteBlock)}`,
    ],
    // A plan of the first write would still copy the columns of then: other sessions have no such plan.
    after: ['discard plans', `do ${dollarQuote(secondWriteBlock)}`],
  }
}
