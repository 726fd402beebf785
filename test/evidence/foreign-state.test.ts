import { expect, test } from 'vitest'
import type { Problem, SignedReport } from '../../agent/src/contract/index.ts'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { QUIET_LOG } from '../support/operations.ts'
import { newSigningKey, trustKeys } from '../support/signingKeys.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'

const PROMOTIONS = '/v1/rollouts/vehicles/promotions'
const REPORT = '/v1/rollouts/vehicles/report?format=json'
const FILE = `${VEHICLES_FILE}promotion: { from: staging, maxAge: 1h }\n`
const key = newSigningKey('staging')

/** Sends a text as it is, so that a member can be in it twice. */
async function submitText(agent: TestAgent, report: string): Promise<Problem> {
  const response = await fetch(agent.url + PROMOTIONS, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKENS.ann}`, 'content-type': 'application/json' },
    body: `{"environment":"production","report":${report}}`,
  })
  return (await response.json()) as Problem
}

test.each([
  ['another timeline', 'update sti.identity set timeline = timeline + 1', /timeline/],
  ['another system', `update sti.identity set system_identifier = '1'`, /another PostgreSQL system/],
  ['another environment', `update sti.identity set environment = 'test'`, /environment test/],
])('a state of %s is never signed or verified, and promotes nothing', async (_, change, sentence) => {
  await withDatabase(async (there) => {
    await createVehicles(there.sql, 100)
    await withAgent(
      there.url,
      FILE,
      async (staging) => {
        for (const kind of ['expand', 'backfill', 'validation'] as const) await staging.run(kind)
        const good = await staging.get<SignedReport>(REPORT)
        expect(good).toMatchObject({ signature: expect.any(String), unsigned: null, report: { verified: true } })
        await there.sql.unsafe(change)
        // At once, whatever the agent remembers.
        const foreign = await staging.get<SignedReport>(REPORT)
        expect(foreign).toMatchObject({ signature: null, report: { verified: false } })
        expect(foreign.unsigned).toMatch(sentence)
        await withDatabase(async (here) => {
          await createVehicles(here.sql, 10)
          const config = { environment: 'production', production: true, trustedKeys: trustKeys(key) }
          await withAgent(
            here.url,
            FILE,
            async (production) => {
              const refused = await submitText(production, JSON.stringify(foreign))
              expect(refused).toMatchObject({ status: 409, detail: expect.stringMatching(/not signed/) })
              const twice = JSON.stringify(good).replace('"rollout":', '"rollout":"other","rollout":')
              expect(await submitText(production, twice)).toMatchObject({
                status: 409,
                detail: 'The report has the member "rollout" twice in one object.',
              })
              const extra = await submitText(production, JSON.stringify({ ...good, note: 'approved' }))
              expect(extra.detail).toMatch(/no signature covers its member note/)
              expect(await submitText(production, JSON.stringify(good))).toMatchObject({ gate: { promoted: true } })
            },
            { ...QUIET_LOG, name: 'agent-2', config },
          )
        })
      },
      { ...QUIET_LOG, config: { signingKey: key } },
    )
  })
})
