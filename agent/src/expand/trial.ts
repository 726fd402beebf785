import type { Rollout, Table } from '../rollout/rollout.ts'
import { dollarQuoted } from '../dualWrite/trigger.ts'

/** How many rows are tried to find one that the application could write today. */
const CANDIDATES = 10
/** Undoes a trial write; no error of anybody else. */
const UNDONE = 'STI02'

/**
 * A trial write of one existing row before the change and again after it, as the application would do it, every column
 * as it is, and taken back each time: a trigger of the application that copies whole rows (`select new.*`) would fail
 * on every write from now on. A row that the application refuses to write anyway proves nothing and is passed over.
 */
export function trial(rollout: Rollout, table: Table): { before: string[]; after: string[] } {
  const itself = table.columns
    .filter((column) => !column.generated && column.identity !== 'always' && column !== table.discriminator)
    .map((column) => `${column.sql} = ${column.sql}`)
  const write = (columns: readonly string[], row: string): string => `
      begin
        set constraints all immediate;
        update ${rollout.table.sql} set ${columns.join(', ')} where ctid = ${row};
        raise exception 'undone' using errcode = '${UNDONE}';
      exception when sqlstate '${UNDONE}' then`
  const find = `declare place tid; begin
    for place in select ctid from ${rollout.table.sql} limit ${CANDIDATES} loop ${write(itself, 'place')}
          perform set_config('sti.probe', place::text, true); exit;
        when others then null;
      end;
    end loop;
  end`
  const again = `begin
    if current_setting('sti.probe', true) <> '' then ${write([`${rollout.discriminator.sql} = null`, ...itself], `current_setting('sti.probe')::tid`)}
        null;
      end;
    end if;
  end`
  return {
    before: [
      `lock table ${rollout.table.sql} in access exclusive mode`,
      // A trigger that skips our batches does not skip the application's writes.
      `set local "sti.engine" = 'off'`,
      `do ${dollarQuoted(find)}`,
    ],
    // A plan of the first write would still copy the columns of then: other sessions have no such plan.
    after: ['discard plans', `do ${dollarQuoted(again)}`],
  }
}
