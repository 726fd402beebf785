import type { SeededFault, FaultPlace } from './fault.ts'
import { runStatements } from './seedSql.ts'

const shared = { environment: 'vehicles', layer: 'business' } as const
type SeedApplication = FaultPlace['application']
const misbehave =
  (behaviour: Parameters<SeedApplication['become']>[0]) =>
  async ({ application }: FaultPlace): Promise<void> =>
    application.become(behaviour)

/** Violations of the checks that the rollout file defines for table and application. */
export const businessFaults: readonly SeededFault[] = [
  {
    ...shared,
    name: 'rule-violated',
    checks: ['only-trucks-have-more-axles'],
    what: 'a row violates a rule of the rollout file',
    seed: runStatements(
      `update public.vehicles set axles = 4 where id = (select min(id) from public.vehicles where type = 'Car' and id > 2000)`,
    ),
  },
  {
    ...shared,
    name: 'another-answer-with-the-flag',
    checks: ['list-of-trucks'],
    what: 'the response of new code differs from old code: it leaves out a row',
    seed: misbehave({ newCodeForgets: true }),
  },
  {
    ...shared,
    name: 'wrong-type-on-the-first-page',
    checks: ['list-of-trucks'],
    what: 'a row in a list has a wrong type, so new code does not list it',
    follows: ['coverage', 'type-matches-legacy', 'only-trucks-have-more-axles'],
    async seed({ sql }) {
      await sql.unsafe(`alter table public.vehicles disable trigger "~sti_derive";
        update public.vehicles set type = 'Car' where id = (select min(id) from public.vehicles where is_truck);
        alter table public.vehicles enable always trigger "~sti_derive"`)
    },
  },
  {
    ...shared,
    name: 'wrong-status',
    checks: ['healthy'],
    what: 'a request returns HTTP 503 instead of 200',
    seed: misbehave({ healthStatus: 503 }),
  },
  {
    ...shared,
    name: 'redirect',
    checks: ['healthy'],
    what: 'a request returns a redirect, which is not followed',
    unknown: /redirect/,
    seed: misbehave({ healthRedirects: true }),
  },
  {
    ...shared,
    name: 'flag-not-heard',
    checks: ['list-of-trucks'],
    what: 'the application does not confirm the flag of a request',
    unknown: /without the X-Sti-Flag header/,
    seed: misbehave({ deaf: true }),
  },
  {
    ...shared,
    name: 'application-away',
    checks: ['healthy', 'list-of-trucks'],
    what: 'the application is unavailable',
    unknown: /ECONNREFUSED/,
    seed: ({ application }) => application.close(),
  },
]
