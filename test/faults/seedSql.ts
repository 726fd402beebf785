import type postgres from 'postgres'

/** Writes while the dual-write trigger is off, and leaves it as it was. Several statements of one call are one transaction. */
export async function writeBypassingTrigger(sql: postgres.Sql, statements: string): Promise<void> {
  await sql.unsafe(`alter table public.vehicles disable trigger "~sti_derive"; ${statements};
    alter table public.vehicles enable always trigger "~sti_derive"`)
}

/** For seeds that are statements only. */
export const runStatements =
  (statements: string) =>
  async ({ sql }: { readonly sql: postgres.Sql }): Promise<void> =>
    void (await sql.unsafe(statements))
