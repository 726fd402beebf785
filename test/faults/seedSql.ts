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

/** Waits until it is so. */
export async function waitUntil(what: string, seconds: number, met: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    if (await met()) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`waited ${seconds} s in vain: ${what}`)
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
