import type postgres from 'postgres'
import type { SeededFault } from './fault.ts'
import { runStatements } from './seedSql.ts'

const TRIGGER = '"~sti_derive"'
const checks = ['dual-write-trigger']
const shared = { environment: 'vehicles', layer: 'integrity', checks } as const
const follows = ['dual-write-canary', 'constraints-valid']

/** The dual-write trigger differs from what expand and finalize created. */
export const triggerFaults: readonly SeededFault[] = [
  {
    ...shared,
    name: 'trigger-dropped',
    follows,
    what: 'the dual-write trigger was dropped',
    seed: runStatements(`drop trigger ${TRIGGER} on public.vehicles`),
  },
  {
    ...shared,
    name: 'trigger-disabled',
    follows,
    what: 'the dual-write trigger is disabled',
    seed: runStatements(`alter table public.vehicles disable trigger ${TRIGGER}`),
  },
  {
    ...shared,
    name: 'trigger-not-always',
    what: 'the dual-write trigger does not fire for replicated writes',
    seed: runStatements(`alter table public.vehicles enable trigger ${TRIGGER}`),
  },
  {
    ...shared,
    name: 'trigger-of-some-columns',
    follows,
    what: 'the dual-write trigger is limited to one column, so changes by other triggers do not fire it',
    seed: runStatements(`create or replace trigger ${TRIGGER} before insert or update of is_truck on public.vehicles
      for each row execute function sti.derive_vehicles(); alter table public.vehicles enable always trigger ${TRIGGER}`),
  },
  {
    ...shared,
    name: 'trigger-of-another-file',
    follows,
    what: 'the function of the dual-write trigger comes from a different version of the rollout file',
    seed: ({ sql }) =>
      replaceFunctionText(sql, (text) =>
        text.replace(/-- rollout file [0-9a-f]+/, `-- rollout file ${'0'.repeat(64)}`),
      ),
  },
  {
    ...shared,
    name: 'trigger-function-replaced',
    follows,
    what: 'the body of the dual-write trigger function was replaced',
    seed: ({ sql }) =>
      replaceFunctionText(sql, (text) => `${/-- rollout file [0-9a-f]+/.exec(text)![0]}\nbegin return new; end`),
  },
  {
    ...shared,
    name: 'trigger-sorts-after-ours',
    what: 'an application trigger fires after the dual-write trigger and can change the row again',
    follows: ['dual-write-canary'],
    seed: runStatements(`create function public.late() returns trigger language plpgsql as 'begin return new; end';
      create trigger "~zz" before update on public.vehicles for each row execute function public.late()`),
  },
  {
    ...shared,
    name: 'trigger-open-search-path',
    what: 'the dual-write trigger function (SECURITY DEFINER) has lost its search_path',
    seed: runStatements('alter function sti.derive_vehicles() reset search_path'),
  },
  {
    ...shared,
    name: 'trigger-without-rights',
    what: 'the dual-write trigger function is SECURITY INVOKER',
    seed: runStatements('alter function sti.derive_vehicles() security invoker'),
  },
  {
    ...shared,
    name: 'reverse-sync-missing',
    what: 'the flag is on, but writes by new code do not reach the legacy columns',
    follows: ['constraints-valid', 'dual-write-canary'],
    async seed({ sql, agent }) {
      await agent.run('flag', { enabled: true })
      const [before] = await sql<{ inverse: string }[]>`
        select inverse from sti.change where kind = 'restore' and reverted_at is null order by id desc limit 1`
      await sql.unsafe(before!.inverse)
    },
  },
  {
    ...shared,
    name: 'reverse-sync-of-another-default',
    what: 'the flag is on, and the default of a legacy column differs from the one in reverse sync',
    follows: ['constraints-valid', 'dual-write-canary'],
    async seed({ sql, agent }) {
      await agent.run('flag', { enabled: true })
      await sql.unsafe('alter table public.vehicles alter is_bike set default true')
    },
  },
  {
    ...shared,
    name: 'trigger-of-the-application-undeclared',
    checks: ['dual-write-canary'],
    what: 'the application has a trigger that the rollout file does not declare',
    unknown: /audit/,
    seed: runStatements(`create function public.audit() returns trigger language plpgsql as 'begin return null; end';
      create trigger audit after update on public.vehicles for each row execute function public.audit()`),
  },
]

async function replaceFunctionText(sql: postgres.Sql, change: (text: string) => string): Promise<void> {
  const [found] = await sql<{ definition: string; text: string }[]>`
    select pg_get_functiondef(oid) as definition, prosrc as text from pg_proc where oid = 'sti.derive_vehicles()'::regprocedure`
  const changed = change(found!.text)
  if (changed === found!.text) throw new Error('the function text did not change')
  await sql.unsafe(found!.definition.replace(found!.text, () => changed))
}
