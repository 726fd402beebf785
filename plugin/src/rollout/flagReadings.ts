import { dataFrameFromJSON, type DataFrame, type DataFrameJSON, FieldType } from '@grafana/data'
import { getBackendSrv } from '@grafana/runtime'
import { firstValueFrom } from 'rxjs'

/** What Prometheus last read of a flag. */
export interface FlagReading {
  readonly rollout: string
  /** Percentage of the targeting keys, 0 to 100; 0: off. */
  readonly percentage: number
  readonly at: Date
}

const RANGE = 'now-24h'
const STEP_MS = 60_000
/** One for each step of the range. */
const MAX_POINTS = 1_500

const quote = (text: string): string => JSON.stringify(text)

/** The last reading of each flag of an environment within a day. @throws if Prometheus does not answer */
export async function readLastFlags(
  prometheusUid: string,
  environment: string,
  rollout: string | null,
): Promise<FlagReading[]> {
  const labels = `environment=${quote(environment)}${rollout === null ? '' : `,rollout=${quote(rollout)}`}`
  const query = {
    refId: 'A',
    datasource: { uid: prometheusUid, type: 'prometheus' },
    expr: `sti_flag_enabled{${labels}} * sti_flag_percentage{${labels}}`,
    range: true,
    instant: false,
    intervalMs: STEP_MS,
    maxDataPoints: MAX_POINTS,
  }
  const { data } = await firstValueFrom(
    getBackendSrv().fetch<{ results: { A?: { frames?: DataFrameJSON[] } } }>({
      url: '/api/ds/query',
      method: 'POST',
      data: { queries: [query], from: RANGE, to: 'now' },
      showErrorAlert: false,
    }),
  )
  return lastReadings((data.results.A?.frames ?? []).map((frame) => dataFrameFromJSON(frame)))
}

/** The newest value of each rollout: several agents, and agents that have ended, have series of their own. */
export function lastReadings(frames: readonly DataFrame[]): FlagReading[] {
  const newest = new Map<string, FlagReading>()
  for (const { fields } of frames) {
    const times = fields.find(({ type }) => type === FieldType.time)?.values as number[] | undefined
    const numbers = fields.find(({ type }) => type === FieldType.number)
    const rollout = numbers?.labels?.['rollout']
    const values = (numbers?.values ?? []) as Array<number | null>
    const index = values.reduce<number>((last, value, position) => (value === null ? last : position), -1)
    if (rollout === undefined || times === undefined || index < 0) continue
    const reading = { rollout, percentage: values[index]!, at: new Date(times[index]!) }
    const known = newest.get(rollout)
    if (known === undefined || known.at < reading.at) newest.set(rollout, reading)
  }
  return [...newest.values()].sort((a, b) => a.rollout.localeCompare(b.rollout))
}
