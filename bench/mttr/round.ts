import { untilRollout } from '../../demo/start/api.ts'
import { agentUrl } from '../../demo/start/environment.ts'
import { turnOn, type Stand } from './stand.ts'
import { roundOf, type Round } from './timeline.ts'

const RULE = 'StiApiErrorsHigh'
/** Longer than any round that is not stuck. */
const PATIENCE_MS = 120_000
const ROLE = 'vehicles_app'

/**
 * One fault: the flag is on and all is well; then the application may not read `type` any more, so that whatever goes by
 * the flag fails, and what goes by the legacy columns does not. Ends with the fault mended and the flag off.
 */
export async function measureRound(stand: Stand, phaseMs: number): Promise<Round> {
  const { staging, sql } = stand
  await turnOn(stand)
  await until('the application well again, as the agent reads it', async () => (await condition(stand, 0)) ?? null)
  if (stand.prometheusUrl !== null) {
    await until('Prometheus’ knowledge of that', () => scrapedAt(stand, 0))
    await until('Grafana’s rule at rest', async () => ((await activeAt(stand)) === null ? true : null))
  }
  // So that faults come at every moment between two scrapes and two evaluations.
  await new Promise((resolve) => setTimeout(resolve, phaseMs))
  const [columns] = await sql<{ names: string }[]>`
    select string_agg(quote_ident(attname), ', ') as names from pg_attribute
    where attrelid = 'public.vehicles'::regclass and attnum > 0 and not attisdropped and attname <> 'type'`
  const injected = Date.now()
  await sql.unsafe(
    `revoke select on public.vehicles from ${ROLE}; grant select (${columns!.names}) on public.vehicles to ${ROLE}`,
  )
  try {
    const rolledBack = untilRollout(staging, ({ flag }) => !flag.enabled, 'the flag off', PATIENCE_MS / 1000)
    const seen = {
      signal: watch(() => condition(stand, 1), rolledBack),
      scraped: stand.prometheusUrl === null ? null : watch(() => scrapedAt(stand, 1), rolledBack),
      fired: stand.grafana === null ? null : watch(() => activeAt(stand), rolledBack),
    }
    await Promise.race([rolledBack, stand.accident])
    const { flag } = await untilRollout(
      staging,
      (rollout) => rollout.flag.consistent && rollout.flag.lastPropagationSeconds !== null,
      'the flag off at every client',
      60,
    )
    const off = Date.parse(flag.changedAt!)
    const fired = (await seen.fired) ?? null
    return roundOf({
      injected,
      signal: (await seen.signal) ?? off,
      scraped: (await seen.scraped) ?? null,
      fired,
      received: stand.grafana === null ? null : await receivedAt(stand, injected),
      off,
      seen: off + flag.lastPropagationSeconds! * 1000,
    })
  } finally {
    await sql.unsafe(`grant select on public.vehicles to ${ROLE}`)
  }
}

/** When the agent's own series says so, by this machine's clock. */
async function condition({ staging }: Stand, wanted: 0 | 1): Promise<number | null> {
  const text = await (await fetch(`${agentUrl(staging)}/metrics`)).text()
  const line = text.split('\n').find((one) => one.startsWith('sti_alert_condition{') && one.includes(`rule="${RULE}"`))
  return line?.endsWith(` ${wanted}`) ? Date.now() : null
}

/** The time stamp of the sample that Prometheus has of it. */
async function scrapedAt({ staging, prometheusUrl }: Stand, wanted: 0 | 1): Promise<number | null> {
  const series = `sti_alert_condition{rule="${RULE}",environment="${staging.name}"}`
  // Of a comparison timestamp() would give the time of the query.
  const promql = `max(timestamp(${series}) and ${series} == ${wanted})`
  const answer = await fetch(`${prometheusUrl}/api/v1/query?query=${encodeURIComponent(promql)}`)
  const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } }
  const [found] = data.result
  return found === undefined ? null : Number(found.value[1]) * 1000
}

interface AlertOfRule {
  readonly state: string
  readonly activeAt: string
  readonly labels: Readonly<Record<string, string>>
}

/** Since when Grafana's rule has been firing for staging. */
async function activeAt({ staging, grafana }: Stand): Promise<number | null> {
  const authorization = `Basic ${Buffer.from(`admin:${grafana!.password}`).toString('base64')}`
  const answer = await fetch(`${grafana!.url}/api/prometheus/grafana/api/v1/rules?rule_name=${RULE}`, {
    headers: { authorization },
  })
  const { data } = (await answer.json()) as {
    data: { groups: { rules: { name: string; alerts?: AlertOfRule[] }[] }[] }
  }
  const alerts = data.groups
    .flatMap(({ rules }) => rules)
    .flatMap(({ name, alerts: found }) => (name === RULE ? (found ?? []) : []))
  const firing = alerts.find(
    ({ state, labels }) => state.startsWith('Alerting') && labels['environment'] === staging.name,
  )
  return firing === undefined ? null : Date.parse(firing.activeAt)
}

/** When the webhook arrived that the agent acted on. */
async function receivedAt({ sql }: Stand, injected: number): Promise<number> {
  const [row] = await sql<{ at: Date }[]>`
    select received_at as at from sti.alert
    where rule = ${RULE} and status = 'firing' and received_at > ${new Date(injected)} order by id limit 1`
  if (row === undefined) throw new Error('the flag is off, and no alert has arrived: something else has turned it off')
  return row.at.getTime()
}

/** Looks until it is so, at the latest until the other thing has happened and one last look after it. */
async function watch(look: () => Promise<number | null>, end: Promise<unknown>): Promise<number | null> {
  let over = false
  void end.then(
    () => (over = true),
    () => (over = true),
  )
  for (;;) {
    const last = over
    const found = await look().catch(() => null)
    if (found !== null || last) return found
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

async function until<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const found = await look().catch(() => null)
    if (found !== null) return found
    if (Date.now() > end) throw new Error(`${what} did not come within ${PATIENCE_MS / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
