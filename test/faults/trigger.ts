import type postgres from 'postgres'
import type { Fault } from './fault.ts'
import { run } from './sql.ts'

const TRIGGER = '"~sti_derive"'
const checks = ['dual-write-trigger']
const at = { ground: 'vehicles', layer: 'integrity', checks } as const
const follows = ['dual-write-canary', 'constraints-valid']

/** The dual-write trigger is not what expand and finalize made. */
export const triggerFaults: readonly Fault[] = [
  {
    ...at,
    name: 'trigger-dropped',
    follows,
    what: 'the dual-write trigger is gone',
    seed: run(`drop trigger ${TRIGGER} on public.vehicles`),
  },
  {
    ...at,
    name: 'trigger-disabled',
    follows,
    what: 'the dual-write trigger is disabled',
    seed: run(`alter table public.vehicles disable trigger ${TRIGGER}`),
  },
  {
    ...at,
    name: 'trigger-not-always',
    what: 'the dual-write trigger fires no more for what replication applies',
    seed: run(`alter table public.vehicles enable trigger ${TRIGGER}`),
  },
  {
    ...at,
    name: 'trigger-of-some-columns',
    follows,
    what: 'the dual-write trigger is bound to a column, so that what another trigger changes does not fire it',
    seed: run(`create or replace trigger ${TRIGGER} before insert or update of is_truck on public.vehicles
      for each row execute function sti.derive_vehicles(); alter table public.vehicles enable always trigger ${TRIGGER}`),
  },
  {
    ...at,
    name: 'trigger-of-another-file',
    follows,
    what: 'the function of the dual-write trigger was made from another version of the rollout file',
    seed: ({ sql }) =>
      replaceFunction(sql, (text) => text.replace(/-- rollout file [0-9a-f]+/, `-- rollout file ${'0'.repeat(64)}`)),
  },
  {
    ...at,
    name: 'trigger-function-replaced',
    follows,
    what: 'somebody has put another text into the function of the dual-write trigger',
    seed: ({ sql }) =>
      replaceFunction(sql, (text) => `${/-- rollout file [0-9a-f]+/.exec(text)![0]}\nbegin return new; end`),
  },
  {
    ...at,
    name: 'trigger-sorts-after-ours',
    what: 'a trigger of the application fires after ours and can change the row once more',
    follows: ['dual-write-canary'],
    seed: run(`create function public.late() returns trigger language plpgsql as 'begin return new; end';
      create trigger "~zz" before update on public.vehicles for each row execute function public.late()`),
  },
  {
    ...at,
    name: 'trigger-open-search-path',
    what: 'the function of the dual-write trigger, which runs with its owner’s rights, has lost its search_path',
    seed: run('alter function sti.derive_vehicles() reset search_path'),
  },
  {
    ...at,
    name: 'trigger-without-rights',
    what: 'the function of the dual-write trigger runs with the rights of whoever writes',
    seed: run('alter function sti.derive_vehicles() security invoker'),
  },
  {
    ...at,
    name: 'way-back-missing',
    what: 'the flag is on and the trigger derives only: what new code writes does not reach the legacy columns',
    follows: ['constraints-valid', 'dual-write-canary'],
    async seed({ sql, agent }) {
      await agent.run('flag', { enabled: true })
      const [before] = await sql<{ inverse: string }[]>`
        select inverse from sti.change where kind = 'restore' and reverted_at is null order by id desc limit 1`
      await sql.unsafe(before!.inverse)
    },
  },
  {
    ...at,
    name: 'way-back-of-another-default',
    what: 'the flag is on and a legacy column has another default than the one the way back knows',
    follows: ['constraints-valid', 'dual-write-canary'],
    async seed({ sql, agent }) {
      await agent.run('flag', { enabled: true })
      await sql.unsafe('alter table public.vehicles alter is_bike set default true')
    },
  },
  {
    ...at,
    name: 'trigger-of-the-application-unspoken',
    checks: ['dual-write-canary'],
    what: 'the application has got a trigger of which the rollout file says nothing',
    unknown: /audit/,
    seed: run(`create function public.audit() returns trigger language plpgsql as 'begin return null; end';
      create trigger audit after update on public.vehicles for each row execute function public.audit()`),
  },
]

async function replaceFunction(sql: postgres.Sql, change: (text: string) => string): Promise<void> {
  const [found] = await sql<{ definition: string; text: string }[]>`
    select pg_get_functiondef(oid) as definition, prosrc as text from pg_proc where oid = 'sti.derive_vehicles()'::regprocedure`
  const changed = change(found!.text)
  if (changed === found!.text) throw new Error('nothing was changed')
  await sql.unsafe(found!.definition.replace(found!.text, () => changed))
}
