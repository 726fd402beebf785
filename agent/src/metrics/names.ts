import * as alert from './alert.ts'
import { api } from './api.ts'
import { progress } from './backfill.ts'
import { batchRows, batchSeconds } from './batch.ts'
import { build } from './build.ts'
import { discrepancies, score, verdicts } from './check.ts'
import { conflicts } from './conflict.ts'
import * as database from './database.ts'
import { budget, failedRows, recovery, retries } from './failedRow.ts'
import type { Family, Observed } from './family.ts'
import { clients, flag, propagation } from './flag.ts'
import { host } from './host.ts'
import * as incident from './incident.ts'
import { durations, states } from './operation.ts'
import { paused } from './paused.ts'
import { contacts, readiness } from './readiness.ts'
import { armed, backupAge, backupAvailable, estimated, proved, ready, rehearsed, rollbacks } from './rollback.ts'
import { coverage, stage } from './rollout.ts'
import * as signal from './signal.ts'
import { throttled } from './throttle.ts'
import { completed, due, interval, validations } from './validation.ts'

/** Every series that is read at the scrape. */
export const FAMILIES: readonly Family[] = [
  ...[build, stage, coverage, ...progress, throttled, paused],
  ...api,
  ...[database.up, database.connections, ...database.database, database.replication],
  ...host,
  ...[failedRows, retries, recovery, budget, conflicts],
  ...[verdicts, discrepancies, score, validations, completed, due, interval],
  ...[...flag, clients],
  ...[ready, estimated, proved, rollbacks, backupAvailable, backupAge, rehearsed, armed, states],
  ...[alert.condition, alert.pathSeen, incident.open],
  ...[readiness, contacts],
  ...[signal.up, signal.baseline, signal.baselineRatio, signal.limit, signal.limitRatio],
]

/** Every series that is fed event by event. */
export const OBSERVED: readonly Observed[] = [batchSeconds, batchRows, durations, propagation, incident.acknowledgement]

export interface Series {
  readonly name: string
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly help: string
  /** All have `environment` too. */
  readonly labels: readonly string[]
}

/** Every series of the agent, prom-client's own about the process apart. */
export const SERIES: readonly Series[] = [...FAMILIES, ...OBSERVED].map(({ name, type, help, labels }) => ({
  name,
  type,
  help,
  labels,
}))

/** Each name a query may use: a histogram has three. */
export const SERIES_NAMES: readonly string[] = SERIES.flatMap(({ name, type }) =>
  type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
)
