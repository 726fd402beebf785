import { expect } from 'vitest'
import { TOKENS } from '../support/agent.ts'
import { withObservedRollout } from './metricsApplication.ts'
import {
  ALERTMANAGER_TOKEN,
  forceFlagOn,
  errorsHighAlert,
  grafanaMessage,
  sendWebhook,
  signedHeaders,
  WEBHOOK_CONFIG,
} from './webhookMessages.ts'
import { waitForErrorCondition } from './waitForErrorCondition.ts'
import { realTimeTest as test } from '../support/realTime.ts'

const NOW = Math.floor(Date.now() / 1000)
const grafanaMessageNow = (alerts: Parameters<typeof grafanaMessage>[0], orgId = 1): string =>
  grafanaMessage(alerts, orgId)

/** Refused messages: the body, the changed headers, and the status. */
const REFUSED_MESSAGES: [string, string, Record<string, string> | undefined, number][] = [
  ['no signature', grafanaMessageNow([errorsHighAlert('flag-1')]), { 'content-type': 'application/json' }, 403],
  ['another secret', 'x', signedHeaders('x', NOW, 'another-secret-of-a-test-009'), 403],
  ['another body', grafanaMessageNow([errorsHighAlert('flag-1')]), signedHeaders('another body'), 403],
  ['six minutes old', 'y', signedHeaders('y', NOW - 400), 403],
  ['from the future', 'z', signedHeaders('z', NOW + 3_600), 403],
  ['no JSON', '{"alerts":', undefined, 422],
  ['no alerts', JSON.stringify({ version: '1', orgId: 1, alerts: [] }), undefined, 422],
  ['another organization', grafanaMessageNow([errorsHighAlert('flag-1')], 2), undefined, 403],
  ['too large', ' '.repeat(5 * 1024 * 1024), undefined, 413],
  [
    'a token of the API',
    grafanaMessageNow([errorsHighAlert('flag-1')]),
    { authorization: `Bearer ${TOKENS.admin}` },
    403,
  ],
]

test('forged, replayed, malformed, and misleading messages do not turn the flag off; a genuine one does', async () => {
  await withObservedRollout(WEBHOOK_CONFIG, async ({ agent, application, sql }) => {
    const change = await forceFlagOn(agent)
    for (const [name, body, headers, status] of REFUSED_MESSAGES)
      expect([name, (await sendWebhook(agent, body, headers)).status]).toEqual([name, status])
    expect((await sendWebhook(agent, 'x', { authorization: `Bearer ${TOKENS.editor}` }, 'alertmanager')).status).toBe(
      403,
    )
    const secrets = { authorization: `Bearer ${ALERTMANAGER_TOKEN}` }
    expect((await fetch(`${agent.url}/v1/rollouts`, { headers: secrets })).status).toBe(403)

    // Requests succeed, so the agent's own reading contradicts these alerts.
    await waitForErrorCondition(agent, 0)
    const misleading = [
      errorsHighAlert(change),
      { ...errorsHighAlert(change), status: 'resolved' as const },
      errorsHighAlert(change, { environment: 'production' }),
      errorsHighAlert(change, { environment: '' }),
      errorsHighAlert(change, { rollout: 'orders' }),
      errorsHighAlert('flag-99'),
      errorsHighAlert(change, { alertname: 'TestAlert' }),
      errorsHighAlert(change, { alertname: 'DatasourceNoData', rulename: 'StiApiErrorsHigh' }),
      errorsHighAlert(change, { alertname: 'DatasourceError', rulename: 'StiApiErrorsHigh' }),
      errorsHighAlert(change, { sti_rollback: 'data' }),
      { ...errorsHighAlert(change), startsAt: new Date(Date.now() + 3_600_000).toISOString() },
    ].map((alert, index) => ({ ...alert, fingerprint: `misleading-${index}` }))
    for (const alert of misleading) expect((await sendWebhook(agent, grafanaMessage([alert]))).status).toBe(202)
    await expect.poll(() => countRows(sql), { timeout: 5_000 }).toBe(misleading.length)
    const replayed = grafanaMessage([errorsHighAlert(change)])
    const headers = signedHeaders(replayed)
    expect((await sendWebhook(agent, replayed, headers)).status).toBe(202)
    expect(await sendWebhook(agent, replayed, headers)).toMatchObject({ status: 409 })
    expect((await agent.rollout()).flag.enabled).toBe(true)
    expect(await sql`select from sti.alert where decision = 'roll-back'`).toHaveLength(0)
    const decisions = await sql<{ decision: string }[]>`
      select decision from sti.alert where fingerprint like 'misleading-%' order by (substr(fingerprint, 12))::int`
    expect(decisions.map(({ decision }) => decision)).toEqual([
      ...['incident', 'record', 'record', 'record', 'record', 'incident', 'record', 'record', 'record', 'incident'],
      'record',
    ])
    const { incidents } = await agent.rollout()
    expect(incidents).toMatchObject([{ rule: 'StiApiErrorsHigh', source: 'grafana', rollback: null }])
    expect(incidents[0]!.reading?.state).toBe('healthy')

    // Requests fail, so the agent's own reading confirms the alert.
    application.fail(0.4)
    await waitForErrorCondition(agent, 1)
    const sentAt = Date.now()
    const { version } = (await agent.rollout()).flag
    expect((await sendWebhook(agent, grafanaMessage([errorsHighAlert(`flag-${version}`)]))).status).toBe(202)
    await expect.poll(async () => (await agent.rollout()).flag.enabled, { interval: 20 }).toBe(false)
    expect(Date.now() - sentAt).toBeLessThan(1_000)
    await expect
      .poll(async () => (await agent.rollout()).incidents, { timeout: 5_000 })
      .toMatchObject([{ rule: 'StiApiErrorsHigh', rollback: { scope: 'flag' }, reading: { state: 'unhealthy' } }])
    const operations = (await agent.rollout()).operations.filter(({ kind }) => kind === 'rollback')
    expect(operations).toMatchObject([{ actor: { via: 'webhook', level: 'editor' }, state: 'succeeded' }])
    const [decided] = await sql<{ after: { act: string } }[]>`
      select after from sti.operation_event where kind = 'decision' and after->>'act' = 'roll-back'`
    expect(decided!.after.act).toBe('roll-back')
  })
})

test('a watchdog from Alertmanager shows that alerts arrive; an alert storm leads to one rollback and one incident', async () => {
  await withObservedRollout(WEBHOOK_CONFIG, async ({ agent, application, sql }) => {
    const change = await forceFlagOn(agent)
    const bearer = { authorization: `Bearer ${ALERTMANAGER_TOKEN}`, 'content-type': 'application/json' }
    const watchdog = { alertname: 'StiWatchdog', environment: 'staging', agent: 'agent-1' }
    const message = (labels: Record<string, string>): string =>
      JSON.stringify({ version: '4', alerts: [{ status: 'firing', labels, startsAt: '2026-01-01T00:00:00Z' }] })
    await sendWebhook(agent, message({ ...watchdog, agent: 'agent-2' }), bearer, 'alertmanager')
    await sendWebhook(agent, message({ ...watchdog, environment: 'production' }), bearer, 'alertmanager')
    expect((await agent.rollout()).automaticRollback.pathLive).toBe(false)
    expect((await sendWebhook(agent, message(watchdog), bearer, 'alertmanager')).status).toBe(202)
    expect((await agent.rollout()).automaticRollback.pathLive).toBe(true)
    expect(await (await fetch(`${agent.url}/metrics`)).text()).toMatch(
      /sti_alert_path_seen_timestamp_seconds\{.*\} \d+/,
    )

    application.fail(0.4)
    await waitForErrorCondition(agent, 1)
    // A thousand alerts in a second, in random order, each resolved as often as it fires, and all of them
    // re-sent.
    const startsAt = new Date().toISOString()
    const storm = Array.from({ length: 1_000 }, (_, index) => ({
      ...errorsHighAlert(change, { pod: `pod-${index % 500}` }),
      fingerprint: `pod-${index % 500}`,
      startsAt,
      status: index < 500 ? ('resolved' as const) : ('firing' as const),
    }))
    const began = Date.now()
    for (let again = 0; again < 2; again++) {
      const sent = Array.from({ length: 10 }, (_, part) => grafanaMessage(storm.slice(part * 100, part * 100 + 100)))
      const answers = await Promise.all(
        sent.map((body, at) => sendWebhook(agent, body, signedHeaders(body, later(again * 10 + at)))),
      )
      expect(answers.every(({ status }) => status === 202)).toBe(true)
    }
    await expect.poll(async () => (await agent.rollout()).flag.enabled, { interval: 20 }).toBe(false)
    // About a second on an idle machine.
    expect(Date.now() - began).toBeLessThan(15_000)
    await expect
      .poll(
        async () => (await sql<{ times: number }[]>`select sum(deliveries)::int as times from sti.alert`)[0]!.times,
        {
          timeout: 10_000,
        },
      )
      .toBe(2_000)
    await expect.poll(async () => (await agent.rollout()).incidents.length).toBe(1)
    const { operations, incidents } = await agent.rollout()
    expect(operations.filter(({ kind }) => kind === 'rollback')).toHaveLength(1)
    expect(incidents).toMatchObject([{ change, state: 'open', rollback: { scope: 'flag' } }])
    expect(await sql`select from sti.automatic_rollback`).toHaveLength(1)
    expect(await sql`select from sti.alert`).toHaveLength(500)
  })
})

/** Every message is signed in a different second, so that none is treated as a replay. */
const later = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds

async function countRows(sql: { unsafe(text: string): Promise<{ length: number }> }): Promise<number> {
  return (await sql.unsafe('select from sti.alert')).length
}
