import { expect, test } from 'vitest'
import { findColumnDropCheck, prepareColumnDrop, waitForSoak, withEnabledRollout } from './enabledRollout.ts'

const accept = (subjects: readonly string[]): object => ({
  environment: 'staging',
  check: 'lossless',
  reason: 'reports read the other table',
  subjects,
})

test('a column whose content the type does not express is dropped only after an admin accepts it by its name', async () => {
  await withEnabledRollout(async ({ agent, database: { sql } }) => {
    await sql`update public.vehicles set is_bike = true where is_truck and id <= 20`
    const [{ rows }] = (await sql`select count(*)::int as rows from public.vehicles where is_truck and is_bike`) as [
      { rows: number },
    ]
    expect(rows).toBeGreaterThan(0)
    const validation = await agent.run('validation', { layers: ['integrity'] })
    expect(validation.result).toMatchObject({ verdict: 'pass' })
    const found = (await agent.rollout()).validation!.checks.find(({ check }) => check === 'legacy-matches-restore')
    expect(found).toMatchObject({ verdict: 'pass', value: rows, discrepancies: 0 })

    await waitForSoak(agent)
    const refused = await prepareColumnDrop(agent)
    expect(refused).toMatchObject({ prepared: false, verdict: 'fail' })
    expect(findColumnDropCheck(refused, 'lossless')).toMatchObject({
      verdict: 'fail',
      findings: [`is_bike: ${rows} of 300 rows hold content that the type does not express`],
      acceptable: ['is_bike'],
    })
    expect(refused.reasons[0]).toMatch(/^lossless \(fail\): is_bike: .* sti accept-check lossless/)
    const path = '/v1/rollouts/vehicles/acceptances'
    expect(await agent.post(path, accept(['is_truck']))).toMatchObject({ status: 422 })
    expect((await agent.post(path, accept(['is_bike']))).status).toBeLessThan(300)
    await waitForSoak(agent)
    const prepared = await prepareColumnDrop(agent)
    expect(prepared).toMatchObject({ prepared: true, reasons: [] })
    expect(prepared.pullRequest!.body).toMatch(/Content: is\\_bike: \d+ of 300 rows hold content/)

    await sql`update public.vehicles set is_bike = false where is_truck`
    await agent.run('validation', { layers: ['integrity'] })
    expect(findColumnDropCheck(await prepareColumnDrop(agent), 'lossless')).toMatchObject({ verdict: 'pass' })
  })
})
