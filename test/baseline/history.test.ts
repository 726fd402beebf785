import { expect } from 'vitest'
import type {
  Baseline,
  BaselineComparison,
  BaselineSummary,
  CheckResult,
  Validation,
} from '../../agent/src/contract/index.ts'
import { hasPrometheus, startPrometheus } from '../../agent/src/signals/testing/prometheusServer.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { realTimeTest as test } from '../support/realTime.ts'

const BASELINES = '/v1/rollouts/vehicles/baselines'
const FILE = `${VEHICLES_FILE}api: { histogram: { url: "http://127.0.0.1:9/metrics", name: http_request_duration_seconds, errors: { status: "5.." } } }
signals: [{ name: queue, promql: "sum(queue_depth)", limit: 100 }, { name: gone, promql: "nothing_at_all", limit: 1 }]
`
const HOUR = 3_600

/** The stored scrapes of a day and an hour; in the last hour, each request takes 30% longer. */
function hourlySeries(until: number): string {
  let state = 7
  const noise = (): number => 0.9 + 0.2 * ((state = (state * 16_807) % 2_147_483_647) / 2_147_483_647)
  const times = Array.from({ length: (25 * HOUR) / 15 }, (_, step) => until - 25 * HOUR + (step + 1) * 15)
  const series = (name: string, labels: string, value: (at: number) => number): string =>
    [`# TYPE ${name} gauge`, ...times.map((at) => `${name}{${labels}} ${value(at)} ${at}`)].join('\n')
  const ours = 'environment="staging",rollout="vehicles"'
  const slow = (at: number): number => (at > until - HOUR ? 1.3 : 1)
  return [
    series('sti_api_latency_average_seconds', ours, (at) => 0.02 * slow(at) * noise()),
    series('sti_api_latency_p95_seconds', ours, () => 0.05 * noise()),
    series('sti_api_error_ratio', ours, () => 0),
    series('sti_api_requests_per_second', ours, () => 100 * noise()),
    series('sti_database_query_seconds', 'environment="staging"', () => 0.003 * noise()),
    series('queue_depth', 'queue="a"', () => 4),
    '# EOF\n',
  ].join('\n')
}

test.skipIf(!hasPrometheus)(
  'a baseline of one day from Prometheus finds a slowdown',
  async () => {
    const until = Math.floor(Date.now() / 15_000) * 15
    const prometheus = await startPrometheus(
      { 'prometheus.yml': 'scrape_configs: []' },
      'prometheus.yml',
      hourlySeries(until),
    )
    await withDatabase(async ({ url, sql }) => {
      await createVehicles(sql, 300)
      await withAgent(
        url,
        FILE,
        async (agent) => {
          const taken = await agent.run('baseline', { durationSeconds: 24 * HOUR })
          const { content } = await agent.get<Baseline>(`${BASELINES}/newest`)
          const signalOf = (name: string) => content.signals.find(({ signal }) => signal === name)!
          // One hour of 24 was 30% slower.
          expect(signalOf('api-latency-average').mean).toBeCloseTo(0.02 * (1 + 0.3 / 24), 4)
          expect(signalOf('api-latency-p95').mean).toBeCloseTo(0.05, 3)
          expect(signalOf('api-latency-p95').values).toHaveLength(480)
          expect(signalOf('api-latency-p95').samples).toBeGreaterThan(4_700)
          expect(signalOf('queue')).toMatchObject({ mean: 4, maximum: 4, standardDeviation: 0 })
          expect(signalOf('gone')).toMatchObject({ mean: null, unknown: 'nothing was read' })
          expect(signalOf('host-cpu')).toMatchObject({ mean: null, unknown: 'nothing was read' })
          expect(taken.result?.['unknown']).toEqual(expect.arrayContaining(['host-cpu: nothing was read']))
          expect(content.measured).toBe('history')
          // The agent has just started, so single queries come from pg_stat_statements.
          const [first] = content.queries
          expect(first).toMatchObject({ stepSeconds: null, values: [] })
          expect(content.notes.join()).toContain('means since their counters were reset')

          // A baseline until one hour ago is compared with the hour since, which is also read from Prometheus.
          const ago = (instant: string): string => new Date(Date.parse(instant) - HOUR * 1000).toISOString()
          const earlier = { ...content, startedAt: ago(content.startedAt), endedAt: ago(content.endedAt) }
          const { body: kept } = await agent.post<BaselineSummary>(BASELINES, { content: earlier })
          const compared = await agent.get<BaselineComparison>(`${BASELINES}/${kept.id}/comparison`)
          const verdicts = Object.fromEntries(compared.signals.map(({ name, verdict }) => [name, verdict]))
          expect(verdicts).toMatchObject({
            'api-latency-average': 'fail',
            'api-latency-p95': 'pass',
            'api-error-ratio': 'pass',
            'api-request-rate': 'pass',
            'query-time': 'pass',
            queue: null,
          })
          expect(compared.signals.find(({ name }) => name === 'api-latency-average')!.ratio).toBeCloseTo(
            1.3 / 1.0125,
            1,
          )
          expect(compared.verdict).toBe('fail')

          await agent.run('expand')
          await sql`update sti.operation set started_at = started_at - interval '10 minutes', ended_at = ended_at - interval '10 minutes'`
          await agent.run('validation', { layers: ['performance'], baseline: kept.id })
          const { checks } = await agent.get<Validation>('/v1/rollouts/vehicles/validations/latest')
          const judged = (name: string): CheckResult => checks.find(({ check }) => check === name)!
          expect(judged('api-latency-average')).toMatchObject({ verdict: 'fail', limit: 1.1 })
          expect(judged('api-latency-p95').verdict).toBe('pass')
          expect(judged('api-latency-p95').detail).toContain(`baseline ${kept.id}`)

          // Prometheus has no full week, and a part does not replace it.
          // It is a refusal, not a failed operation, which would open an incident.
          const week = { kind: 'baseline', environment: 'staging', parameters: { durationSeconds: 7 * 24 * HOUR } }
          const reason = /not have 7 d of history for any signal .*too few readings: .* or sample from now on/
          expect(await agent.post('/v1/rollouts/vehicles/operations', week)).toMatchObject({
            status: 409,
            body: { reasons: [expect.stringMatching(reason)] },
          })
          expect(await agent.preview('baseline', week.parameters)).toMatchObject({
            allowed: false,
            reasons: [expect.stringMatching(reason)],
          })
          expect(await sql`select from sti.operation where state = 'failed'`).toHaveLength(0)
        },
        { config: { prometheusUrl: prometheus.url } },
      )
      // Without Prometheus there is no history to read or compare with.
      await withAgent(url, FILE, async (agent) => {
        expect((await agent.preview('baseline', { durationSeconds: 60 })).reasons.join()).toContain(
          'sample from now on (--live)',
        )
        await agent.run('validation', { checks: ['api-latency-average'] })
        const { checks } = await agent.get<Validation>('/v1/rollouts/vehicles/validations/latest')
        expect(checks[0]).toMatchObject({
          verdict: 'inconclusive',
          detail: expect.stringContaining('set STI_PROMETHEUS_URL') as string,
        })
      })
    })
  },
  240_000,
)
