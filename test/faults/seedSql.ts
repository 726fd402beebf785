import type postgres from 'postgres'

/** Runs statements in one transaction with the dual-write trigger disabled. */
export async function writeBypassingTrigger(sql: postgres.Sql, statements: string): Promise<void> {
  await sql.unsafe(`alter table public.vehicles disable trigger "~sti_derive"; ${statements};
    alter table public.vehicles enable always trigger "~sti_derive"`)
}

/** A seed that only runs statements. */
export const runStatements =
  (statements: string) =>
  async ({ sql }: { readonly sql: postgres.Sql }): Promise<void> =>
    void (await sql.unsafe(statements))
