import { expect, test } from 'vitest'
import type { Acceptances, EvidenceReport } from '../../agent/src/contract/index.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { withSti } from '../support/stiCommand.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { findCheck, validate } from './validations.ts'

const INTEGRITY = { layers: ['integrity'] }
const PATH = '/v1/rollouts/vehicles/acceptances'

test(
  'an inconclusive check blocks until an admin accepts it by name, and again when that ends',
  {
    timeout: 120_000,
  },
  async () => {
    await withDatabase(async ({ url, sql }) => {
      await createVehicles(sql, 10)
      // Every type is fixed by the key of its row: no row can become another type.
      await sql`alter table public.vehicles add constraint fixed check (is_truck = (id in (1, 2, 10)) and is_bike = (id = 5)) not valid`
      await withAgent(url, VEHICLES_FILE, async (agent) => {
        for (const kind of ['expand', 'backfill'] as const) await agent.run(kind)
        const undecided = await validate(agent, INTEGRITY)
        const subjects = ['refused 23514 fixed']
        expect(undecided).toMatchObject({ verdict: 'inconclusive' })
        expect(findCheck(undecided, 'dual-write-canary')).toMatchObject({ acceptable: subjects, accepted: [] })
        await expect(agent.run('finalize')).rejects.toThrow('sti accept-check dual-write-canary --all --reason TEXT')

        await withSti(async (sti) => {
          expect((await sti(agent.url, 'acceptances')).out).toMatch(/^open +dual-write-canary +refused 23514 fixed/m)
          const accepted = await sti(
            agent.url,
            'accept-check',
            'dual-write-canary',
            '--all',
            '--reason',
            'keys fix types',
          )
          expect(accepted).toMatchObject({ code: 0, err: '' })
          const validated = await sti(agent.url, 'validate', '--layer', 'integrity')
          expect(validated.out).toMatch(/accepted by ann until \d{4}-\d\d-\d\d \(refused 23514 fixed\): keys fix types/)
          expect(validated.code).toBe(0)
        })
        const { validation, ...detail } = await agent.rollout()
        expect(detail.stage).toBe('verified')
        expect(detail.steps.find(({ step }) => step === 'validate')?.fact).toMatch(
          /^\d+ required checks passed, 1 accepted$/,
        )
        expect(validation).toMatchObject({ verdict: 'pass', integrityScore: 1 })
        expect(findCheck(validation!, 'dual-write-canary')).toMatchObject({ verdict: 'inconclusive', acceptable: [] })
        const report = await agent.get<EvidenceReport>('/v1/rollouts/vehicles/report?format=json')
        expect(JSON.stringify(report)).toContain('keys fix types')
        await agent.run('finalize')

        // Another cause is not covered.
        await sql.unsafe(`alter table public.vehicles rename constraint fixed to fixed_by_key`)
        expect((await validate(agent, { checks: ['dual-write-canary'] })).verdict).toBe('inconclusive')

        const withdrawal = { environment: 'staging', check: 'dual-write-canary', subjects, reason: 'not true any more' }
        expect((await agent.post<Acceptances>(PATH, { ...withdrawal, withdraw: true })).status).toBe(200)
        expect((await agent.rollout()).stage).toBe('covered')
        await expect(agent.run('flag', { enabled: true, percentage: 100 })).rejects.toThrow(
          /passed with an acceptance of dual-write-canary that is no longer valid/,
        )
      })
    })
  },
)
