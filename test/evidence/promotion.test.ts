import { expect, test } from 'vitest'
import type postgres from 'postgres'
import type { Promotion, PromotionGate, Problem, SignedReport } from '../../agent/src/contract/index.ts'
import { signReport } from '../../agent/src/signature/sign.ts'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { newSigningKey, trustKeys } from '../support/signingKeys.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'

const PROMOTIONS = '/v1/rollouts/vehicles/promotions'
const REPORT = '/v1/rollouts/vehicles/report'
const FILE = `${VEHICLES_FILE}promotion: { from: staging, maxAge: 1h, backfillToo: true }\n`
/** Locations may differ. */
const OTHER_METRICS_FILE = `${FILE}api: { histogram: { url: "http://app.production.example/metrics", name: http_request_duration_seconds } }\n`

const staging = newSigningKey('staging')
const stranger = newSigningKey('staging')

interface PromotionsResponse {
  readonly gate: PromotionGate
  readonly promotions: Promotion[]
}

/**
 * A staging database in which the rollout has passed its validation, and a production database, each with its agent.
 */
async function withTwoEnvironments(
  use: (both: { staging: TestAgent; production: TestAgent; sql: postgres.Sql; report: SignedReport }) => Promise<void>,
): Promise<void> {
  await withDatabase(async (stagingDatabase) => {
    await createVehicles(stagingDatabase.sql, 300)
    await withAgent(
      stagingDatabase.url,
      FILE,
      async (there) => {
        for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await there.run(kind)
        const report = await there.get<SignedReport>(`${REPORT}?format=json`)
        await withDatabase(async (productionDatabase) => {
          await createVehicles(productionDatabase.sql, 300)
          const config = { environment: 'production', production: true, trustedKeys: trustKeys(staging) }
          await withAgent(
            productionDatabase.url,
            OTHER_METRICS_FILE,
            (here) => use({ staging: there, production: here, sql: productionDatabase.sql, report }),
            {
              name: 'agent-2',
              config,
            },
          )
        })
      },
      { config: { signingKey: staging } },
    )
  })
}

const submitReport = (agent: TestAgent, report: unknown, more = {}) =>
  agent.post<PromotionsResponse & Problem>(PROMOTIONS, { environment: 'production', report, ...more })

test('production refuses backfill and flag without a report from staging', async () => {
  await withTwoEnvironments(async ({ production, report }) => {
    await production.run('expand')
    await expect(production.run('backfill')).rejects.toThrow(/Not promoted from staging\. Upload a signed report/)
    const before = (await production.rollout()).promotion
    expect(before).toMatchObject({ from: 'staging', promoted: false, promotion: null, maximumAgeSeconds: 3600 })

    const { status, body } = await submitReport(production, report, { reason: 'change 4711' })
    expect(status).toBe(200)
    expect(body.gate).toMatchObject({ promoted: true, reasons: [] })
    expect(body.promotions).toMatchObject([
      {
        forced: false,
        from: 'staging',
        kid: staging.publicKey.kid,
        verdict: 'pass',
        counts: true,
        reason: 'change 4711',
        by: { name: 'ann' },
      },
    ])
    for (const kind of ['backfill', 'validation', 'finalize'] as const) await production.run(kind)
    await production.run('flag', { enabled: true })
  })
})

test('the flag requires a promotion even if the backfill does not, and again after the promotion expires', async () => {
  await withTwoEnvironments(async ({ production, report, sql }) => {
    expect((await submitReport(production, report)).status).toBe(200)
    for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await production.run(kind)
    await sql`update sti.promotion set validated_at = validated_at - interval '61 minutes'`
    await expect(production.run('flag', { enabled: true })).rejects.toThrow(
      /The last promotion is not valid: Its validation ended 1 h 1 min ago \(limit 1 h\)/,
    )
    await sql`update sti.promotion set validated_at = validated_at + interval '61 minutes', key_id = 'another'`
    await expect(production.run('flag', { enabled: true })).rejects.toThrow(
      /key another is no longer trusted for staging/,
    )
  })
})

test('anything but a signed staging report of the same rollout is refused with a reason', async () => {
  await withTwoEnvironments(async ({ production, staging: there, report }) => {
    const refused = async (handed: unknown, says: RegExp): Promise<void> => {
      const { status, body } = await submitReport(production, handed)
      expect([status, body.reasons?.join(' ') ?? body.detail]).toEqual([409, expect.stringMatching(says)])
    }
    const signed = (change: (content: SignedReport['report']) => void, key = staging): Promise<SignedReport> => {
      const content = structuredClone(report.report)
      change(content)
      return signReport(content, key, null)
    }
    await refused({ ...report, signature: null, unsigned: 'because' }, /not signed/)
    await refused({ ...report, report: { ...report.report, coverage: 0.5 } }, /was changed/)
    await refused(await signed(() => undefined, stranger), /which is not trusted/)
    await refused(
      await signed((content) => (content.environment = 'test')),
      /trusted for staging, but the report is from test/,
    )
    await refused(await signed((content) => (content.rollout = 'other')), /for rollout other/)
    await refused(
      await signed((content) => (content.file.promotionHash = '0')),
      /rollout file in staging differs. The table, types, limits, and checks must be identical/,
    )
    await refused(await signed((content) => (content.validation!.verdict = 'fail')), /ended with verdict fail/)
    await refused(
      await signed((content) => (content.validation!.verdict = 'inconclusive')),
      /ended with verdict inconclusive/,
    )
    await refused(await signed((content) => (content.validation = null)), /no finished validation/)
    await refused(await signed((content) => (content.verified = false)), /a bulk write has run since/)
    const ago = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString()
    await refused(await signed((content) => (content.validation!.endedAt = ago(2))), /ended 2 h ago \(limit 1 h\)/)
    await refused(await signed((content) => (content.validation!.endedAt = ago(-1))), /in the future/)
    await refused('report', /not an STI report/)
    expect((await production.get<PromotionsResponse>(PROMOTIONS)).promotions).toEqual([])

    // After a bulk write, the report that staging itself returns is outdated, too.
    await there.run('backfill')
    await refused(await there.get<SignedReport>(`${REPORT}?format=json`), /a bulk write has run since/)
  })
})

test('staging needs no promotion, an editor cannot force one, and later reports show a forced promotion', async () => {
  await withTwoEnvironments(async ({ staging: there, production }) => {
    await there.run('flag', { enabled: true })
    expect((await there.rollout()).promotion).toBeNull()
    const atHome = await there.post<Problem>(PROMOTIONS, { environment: 'staging', force: true, reason: 'no' })
    expect([atHome.status, atHome.body.detail]).toEqual([
      409,
      expect.stringMatching(/staging is the environment that the promotion comes from/),
    ])

    const force = { environment: 'production', force: true }
    const asBob = { authorization: `Bearer ${TOKENS.bob}` }
    expect((await production.post(PROMOTIONS, { ...force, reason: 'now' }, asBob)).status).toBe(403)
    expect((await production.post(PROMOTIONS, force)).status).toBe(422)
    expect((await production.post(PROMOTIONS, { ...force, report: {}, reason: 'now' })).status).toBe(422)
    expect((await production.post(PROMOTIONS, { ...force, environment: 'staging', reason: 'now' })).status).toBe(409)
    expect(
      (await production.post<PromotionsResponse>(PROMOTIONS, { ...force, reason: 'the old table burns' })).body.gate
        .promoted,
    ).toBe(true)
    await production.run('expand')
    await production.run('backfill')
    const { report } = await production.get<SignedReport>(`${REPORT}?format=json`)
    expect(report.promotions).toMatchObject([
      { forced: true, reason: 'the old table burns', by: { name: 'ann', level: 'admin' } },
    ])
    expect(report.events.entries.map(({ message }) => message)).toContain('promotion forced without a report')
  })
})
