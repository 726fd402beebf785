import { expect, test } from 'vitest'
import type { Acceptances, ColumnDropCheck, PreparedColumnDrop, Problem } from '../../agent/src/contract/index.ts'
import { TOKENS } from '../support/agent.ts'
import { withSti } from '../support/stiCommand.ts'
import { findColumnDropCheck, prepareColumnDrop, SOAK_FILE, withEnabledRollout } from './enabledRollout.ts'

const PATH = '/v1/rollouts/vehicles/acceptances'
const BUILDS = `create or replace function public.builds() returns bigint language plpgsql as
  'declare n bigint; begin execute $$select count(*) from vehicles where is_truck$$ into n; return n; end'`

const functionCheck = (run: PreparedColumnDrop): ColumnDropCheck => findColumnDropCheck(run, 'no-function-body')

test('a subject that a check cannot decide blocks the drop unless a valid acceptance by an admin names it', async () => {
  await withEnabledRollout(async ({ agent, database: { sql } }) => {
    await sql.unsafe(BUILDS)
    const accept = (body: object) =>
      agent.post<Acceptances & Problem>(PATH, {
        environment: 'staging',
        check: 'no-function-body',
        reason: 'read',
        ...body,
      })
    const nothingNamed = await accept({ subjects: ['public.builds()'] })
    expect(nothingNamed).toMatchObject({ status: 422 })
    expect(nothingNamed.body.reasons![0]).toContain('sti prepare-column-drop')

    const undecided = await prepareColumnDrop(agent)
    expect(undecided).toMatchObject({ prepared: false, verdict: 'inconclusive' })
    expect(undecided.reasons).toHaveLength(1)
    expect(undecided.reasons[0]).toContain('sti accept-check no-function-body --all --reason TEXT')
    const [subject] = functionCheck(undecided).acceptable
    expect(subject).toMatch(/^public\.builds\(\) \([0-9a-f]{12}\)$/)

    // An acceptance requires an admin, a subject of the check, and an expiry in the future.
    expect(await accept({ subjects: ['public.other()'] })).toMatchObject({
      status: 422,
      body: { code: 'invalid-body' },
    })
    expect(await accept({ check: 'undo-possible', subjects: ['x'] })).toMatchObject({ status: 422 })
    expect(await accept({ subjects: [subject], expiresAt: '2020-01-01T00:00:00Z' })).toMatchObject({ status: 422 })
    expect(await accept({ subjects: [subject], environment: 'production' })).toMatchObject({ status: 409 })
    await withSti(async (sti) => {
      const refused = await sti(agent.url, 'accept-check', 'no-function-body', '--all', '--reason', 'x')
      expect(refused).toMatchObject({ code: 3 })
      expect(refused.err).toContain('requires the level admin')
    }, TOKENS.bob)
    await withSti(async (sti) => {
      const shown = await sti(agent.url, 'prepare-column-drop', '--safety-checks')
      expect(shown).toMatchObject({
        code: 4,
        out: expect.stringContaining('Refused. No files were written.') as string,
      })
      // The evidence stands once, with what to do.
      expect(shown.out.match(/public\.builds\(\)/g)).toHaveLength(1)
      expect((await sti(agent.url, 'acceptances')).out).toMatch(/^open +no-function-body +public\.builds\(\)/m)
      const done = await sti(
        agent.url,
        ...[
          'accept-check',
          'no-function-body',
          '--subject',
          'public.builds()',
          '--reason',
          'It is <b>never</b> called.',
        ],
      )
      expect(done).toMatchObject({ code: 0, err: '' })
      expect(done.out).toMatch(/^accepted +no-function-body +public\.builds\(\) .* by ann until /m)
    })

    const accepted = await prepareColumnDrop(agent)
    expect(accepted).toMatchObject({ prepared: true, verdict: 'pass', reasons: [] })
    expect(functionCheck(accepted)).toMatchObject({
      verdict: 'inconclusive',
      acceptable: [],
      accepted: [{ subject, reason: 'It is <b>never</b> called.', by: 'ann' }],
    })
    const { body } = accepted.pullRequest!
    expect(body).toContain('Accepted by ann until')
    expect(body).toContain('1 accepted subject was read')
    expect(body).not.toContain('<b>never')
    const headers = { authorization: `Bearer ${TOKENS.ann}` }
    const report = await (await fetch(`${agent.url}/v1/rollouts/vehicles/report?format=md`, { headers })).text()
    expect(report).toContain('Accepted by an admin')
    expect(report).toMatch(/\| no-function-body \|.*builds.*\| ann \|.*never.*\| yes \|/)
    expect(report).not.toContain('<b>never')

    // A changed body is a different subject.
    await sql.unsafe(BUILDS.replace('return n', 'return n + 1'))
    expect(await prepareColumnDrop(agent)).toMatchObject({ prepared: false, verdict: 'inconclusive' })
    await sql.unsafe(BUILDS)
    expect(await prepareColumnDrop(agent)).toMatchObject({ prepared: true })

    await sql`update sti.acceptance set expires_at = clock_timestamp()`
    expect(await prepareColumnDrop(agent)).toMatchObject({ prepared: false })
    await accept({ subjects: [subject] })
    expect(await prepareColumnDrop(agent)).toMatchObject({ prepared: true })
    expect(await accept({ subjects: [subject], withdraw: true })).toMatchObject({ status: 200 })
    expect(await accept({ subjects: [subject], withdraw: true })).toMatchObject({ status: 422 })
    expect(await prepareColumnDrop(agent)).toMatchObject({ prepared: false })
    const { acceptances } = await agent.get<Acceptances>(PATH)
    expect(acceptances.map(({ valid, why }) => [valid, why])).toEqual([
      [false, 'withdrawn by ann: read'],
      [false, expect.stringMatching(/^expired on /)],
    ])
    const [events] = await sql`select count(*)::int as n from sti.operation_event where kind = 'acceptance'`
    expect(events!['n']).toBe(3)
  })
})

test('unavailable statements can be accepted by name', async () => {
  await withEnabledRollout(async ({ agent, database: { sql } }) => {
    await sql.unsafe('drop extension pg_stat_statements')
    const blind = await prepareColumnDrop(agent)
    expect(blind).toMatchObject({ prepared: false, verdict: 'inconclusive' })
    await withSti(async (sti) => {
      for (const { check } of blind.checks.filter(({ acceptable }) => acceptable.length > 0))
        expect(await sti(agent.url, 'accept-check', check, '--all', '--reason', 'read in the logs')).toMatchObject({
          code: 0,
        })
    })
    expect(await prepareColumnDrop(agent)).toMatchObject({ prepared: true, verdict: 'pass' })
  })
})

test('a layer that the rollout file does not require does not block the column drop', async () => {
  const checks = 'checks: [{ name: no-trucks, violations: select id from public.vehicles where is_truck }]\n'
  await withEnabledRollout(
    async ({ agent }) => {
      await agent.run('validation', { layers: ['integrity', 'business'] })
      const { validation } = await agent.rollout()
      expect(validation!.layers.find(({ layer }) => layer === 'business')).toMatchObject({ verdict: 'fail' })
      const run = await prepareColumnDrop(agent)
      const check = findColumnDropCheck(run, 'validation-passed')
      expect(check).toMatchObject({ verdict: 'pass' })
      expect(check.findings.join('\n')).toMatch(/business: fail \(the rollout file does not require it\)/)
      expect(run, run.reasons.join(' ')).toMatchObject({ prepared: true, verdict: 'pass' })
    },
    {},
    `${SOAK_FILE}${checks}`,
  )
})
