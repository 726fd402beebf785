import type postgres from 'postgres'
import { expect } from 'vitest'
import { waitFor } from '../support/waitFor.ts'

/** The blocks that a sweep in heap order reads first. */
const FIRST_RANGE_BLOCKS = 128

/** Autovacuum would free pages in the middle, and the backfill would move the last rows there. */
export const WITHOUT_AUTOVACUUM = 'with (autovacuum_enabled = false)'

/** Changes rows on the last pages of a table of 24,000 vehicles, so that they move to its first pages. */
export async function moveRowsToFront(sql: postgres.Sql, change: string, where: string): Promise<void> {
  const blocks = async (): Promise<{ first: number; last: number }> => {
    const [row] = await sql.unsafe<{ first: number; last: number }[]>(
      `select min((ctid::text::point)[0])::int as first, max((ctid::text::point)[0])::int as last from public.vehicles where ${where}`,
    )
    return row!
  }
  expect((await blocks()).first).toBeGreaterThan(FIRST_RANGE_BLOCKS)
  await sql`delete from public.vehicles where id < 12000`
  await sql`alter table public.vehicles alter column filler set storage plain`
  // Another session's snapshot may keep VACUUM from freeing the first pages for a moment.
  await waitFor('the rows are on the first pages', async () => {
    await sql`vacuum public.vehicles`
    // Wide enough to fit only on an empty page.
    await sql.unsafe(`update public.vehicles set filler = repeat('x', 6000), ${change} where ${where}`)
    return (await blocks()).last < FIRST_RANGE_BLOCKS
  })
}
