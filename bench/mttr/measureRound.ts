import { setTimeout as sleep } from 'node:timers/promises'
import { waitForRollout } from '../../demo/start/rolloutApi.ts'
import { agentUrl } from '../../demo/start/environment.ts'
import { turnFlagOn, type Testbed } from './testbed.ts'
import { toMttrRound, type MttrRound } from './timeline.ts'
import { waitFor, type WaitOptions } from '../../test/support/waitFor.ts'

const RULE_NAME = 'StiApiErrorsHigh'
const STEP_TIMEOUT_SECONDS = 120
const STEP_WAIT: WaitOptions = { seconds: STEP_TIMEOUT_SECONDS, intervalMs: 100, ignoreErrors: true }
const APPLICATION_ROLE = 'vehicles_app'

/**
 * Injects one fault. The flag is on, then the application loses the right to read `type`, so that requests with the flag
 * fail and requests without it do not. Ends with the fault fixed and the flag off.
 */
export async function measureRound(testbed: Testbed, phaseMs: number): Promise<MttrRound> {
  const { staging, sql } = testbed
  await turnFlagOn(testbed)
  await waitFor('the agent reads no failing requests', () => conditionReadAt(testbed, 0), STEP_WAIT)
  if (testbed.prometheusUrl !== null) {
    await waitFor('Prometheus has scraped that reading', () => scrapedAt(testbed, 0), STEP_WAIT)
    await waitFor('the alert rule in Grafana is inactive', async () => (await activeAt(testbed)) === null, STEP_WAIT)
  }
  // Spreads the faults over the interval between two scrapes and two evaluations.
  await sleep(phaseMs)
  const [columns] = await sql<{ names: string }[]>`
    select string_agg(quote_ident(attname), ', ') as names from pg_attribute
    where attrelid = 'public.vehicles'::regclass and attnum > 0 and not attisdropped and attname <> 'type'`
  const injected = Date.now()
  await sql.unsafe(
    `revoke select on public.vehicles from ${APPLICATION_ROLE}; grant select (${columns!.names}) on public.vehicles to ${APPLICATION_ROLE}`,
  )
  try {
    const rolledBack = waitForRollout(staging, ({ flag }) => !flag.enabled, 'the flag is off', STEP_TIMEOUT_SECONDS)
    const observations = {
      signal: pollUntilEnd(() => conditionReadAt(testbed, 1), rolledBack),
      scraped: testbed.prometheusUrl === null ? null : pollUntilEnd(() => scrapedAt(testbed, 1), rolledBack),
      fired: testbed.grafana === null ? null : pollUntilEnd(() => activeAt(testbed), rolledBack),
    }
    await Promise.race([rolledBack, testbed.unexpectedExit])
    const { flag } = await waitForRollout(
      staging,
      (rollout) => rollout.flag.consistent && rollout.flag.lastPropagationSeconds !== null,
      'the flag is off at every client',
      60,
    )
    const flagOffAt = Date.parse(flag.changedAt!)
    const fired = (await observations.fired) ?? null
    return toMttrRound({
      injected,
      signal: (await observations.signal) ?? flagOffAt,
      scraped: (await observations.scraped) ?? null,
      fired,
      received: testbed.grafana === null ? null : await receivedAt(testbed, injected),
      off: flagOffAt,
      seen: flagOffAt + flag.lastPropagationSeconds! * 1000,
    })
  } finally {
    await sql.unsafe(`grant select on public.vehicles to ${APPLICATION_ROLE}`)
  }
}

/** The time at which the metrics of the agent show the condition, by the clock of this machine. */
async function conditionReadAt({ staging }: Testbed, wanted: 0 | 1): Promise<number | null> {
  const text = await (await fetch(`${agentUrl(staging)}/metrics`)).text()
  const line = text
    .split('\n')
    .find((series) => series.startsWith('sti_alert_condition{') && series.includes(`rule="${RULE_NAME}"`))
  return line?.endsWith(` ${wanted}`) ? Date.now() : null
}

/** The timestamp of the sample in Prometheus. */
async function scrapedAt({ staging, prometheusUrl }: Testbed, wanted: 0 | 1): Promise<number | null> {
  const series = `sti_alert_condition{rule="${RULE_NAME}",environment="${staging.name}"}`
  // timestamp() of a comparison would be the time of the query.
  const promql = `max(timestamp(${series}) and ${series} == ${wanted})`
  const answer = await fetch(`${prometheusUrl}/api/v1/query?query=${encodeURIComponent(promql)}`)
  const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } }
  const [sample] = data.result
  return sample === undefined ? null : Number(sample.value[1]) * 1000
}

interface RuleAlert {
  readonly state: string
  readonly activeAt: string
  readonly labels: Readonly<Record<string, string>>
}

/** The time at which the rule in Grafana began to fire for staging. */
async function activeAt({ staging, grafana }: Testbed): Promise<number | null> {
  const authorization = `Basic ${Buffer.from(`admin:${grafana!.password}`).toString('base64')}`
  const answer = await fetch(`${grafana!.url}/api/prometheus/grafana/api/v1/rules?rule_name=${RULE_NAME}`, {
    headers: { authorization },
  })
  const { data } = (await answer.json()) as {
    data: { groups: { rules: { name: string; alerts?: RuleAlert[] }[] }[] }
  }
  const alerts = data.groups
    .flatMap(({ rules }) => rules)
    .flatMap(({ name, alerts: ruleAlerts }) => (name === RULE_NAME ? (ruleAlerts ?? []) : []))
  const firing = alerts.find(
    ({ state, labels }) => state.startsWith('Alerting') && labels['environment'] === staging.name,
  )
  return firing === undefined ? null : Date.parse(firing.activeAt)
}

/** The time at which the webhook arrived that the agent acted on. */
async function receivedAt({ sql }: Testbed, injected: number): Promise<number> {
  const [row] = await sql<{ at: Date }[]>`
    select received_at as at from sti.alert
    where rule = ${RULE_NAME} and status = 'firing' and received_at > ${new Date(injected)} order by id limit 1`
  if (row === undefined) throw new Error('the flag is off, but no alert arrived: something else turned it off')
  return row.at.getTime()
}

/** Reads until there is a result, or until `end` has settled and one more read. */
async function pollUntilEnd(read: () => Promise<number | null>, end: Promise<unknown>): Promise<number | null> {
  let over = false
  void end.then(
    () => (over = true),
    () => (over = true),
  )
  for (;;) {
    const last = over
    const result = await read().catch(() => null)
    if (result !== null || last) return result
    await sleep(25)
  }
}
