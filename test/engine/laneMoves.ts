import type postgres from 'postgres'
import { expect } from 'vitest'
import { readLanes, plainTable } from './expandedTable.ts'
import { waitFor } from '../support/waitFor.ts'

/** Vehicles on full pages, including the last one, so that a row that moves ends up behind the lane. */
export function fullPagesTable(rows: number): string[] {
  return [
    plainTable(rows, `''`, '', 'with (autovacuum_enabled = off)'),
    'delete from public.vehicles where (ctid::text::point)[0] = (select max((ctid::text::point)[0]) from public.vehicles)',
    'vacuum public.vehicles',
  ]
}

/** The lane's position and range state after each batch. */
export async function recordLaneMoves(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    create table public.moves (id bigserial, low jsonb, position jsonb, high jsonb, done int, passed bigint, written bigint);
    create function public.moves() returns trigger language plpgsql as $$ begin
      if new.batches > old.batches and new.relation is not null then
        insert into public.moves (low, position, high, done, passed, written) values (old.position, new.position,
          coalesce(new.range_state->'high', new.position), (new.range_state->>'done')::int, new.passed_rows, new.written_rows);
      end if;
      return null; end $$;
    create trigger moves after update on sti.lane for each row execute function public.moves()`)
}

interface LaneMove {
  readonly low: readonly string[]
  readonly position: readonly string[]
  readonly high: readonly string[]
  /** Null: the range is complete. */
  readonly done: number | null
}

/** Checks that every range runs from its first to its last batch, and none is repeated. */
export async function expectEachBatchOnce(sql: postgres.Sql): Promise<number> {
  const moves = await sql<LaneMove[]>`select low, position, high, done from public.moves order by id`
  let longest = 0
  let done = 0
  let before: LaneMove | null = null
  for (const move of moves) {
    done++
    if (before !== null && before.done !== null) expect([move.low, move.high]).toEqual([before.low, before.high])
    if (move.done === null) {
      expect(move.position).toEqual(move.high)
      longest = Math.max(longest, done)
      done = 0
    } else expect([move.done, move.position]).toEqual([done, move.low])
    before = move
  }
  expect(before!.done).toBeNull()
  return longest
}

export async function waitForStripes(sql: postgres.Sql, id: number, batches: number): Promise<void> {
  await waitFor(
    'stripes of a range are written',
    async () => ((await readLanes(sql, id))[0]?.range_state?.done ?? 0) >= batches,
  )
}
