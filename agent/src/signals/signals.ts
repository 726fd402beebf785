import type { Database, EngineSettings } from '../database/connect.ts'
import { apiReadings, type ApiReadings } from './api.ts'
import { customSignal, type CustomReading } from './custom.ts'
import { databaseActivity, type DatabaseReadings } from './database.ts'
import { localHost, type HostReadings } from './host.ts'
import type { Poll } from './poll.ts'
import { lockPressure, type Pressure } from './pressure.ts'
import { probe, type Probe } from './probe.ts'
import { prometheus } from './prometheus.ts'
import { promqlHost } from './promqlHost.ts'
import type { Reading } from './reading.ts'
import { replicationLag, type ReplicationLag } from './replication.ts'
import { unknownApi } from './scrape.ts'
import { queryTime } from './statements.ts'
import type { WatchedRollout } from './watched.ts'

export interface SignalsOptions {
  readonly database: Database
  /** The agent's name: sessions whose application_name begins with `sti <agent> ` are our own. */
  readonly agent: string
  readonly rollouts: readonly WatchedRollout[]
  readonly prometheusUrl: string | null
  /** Where the disk's used ratio is read. Default `/`. */
  readonly diskFolder?: string
  readonly now: () => number
}

/** All readings, from memory: nothing here waits. Unknown is not good. */
export interface Signals {
  start(): void
  stop(): Promise<void>
  database(): DatabaseReadings
  replication(): Reading<ReplicationLag>
  /** The rollout's host; without a name this machine. */
  host(rollout?: string): HostReadings
  api(rollout: string): ApiReadings
  custom(rollout: string): readonly CustomReading[]
  /** For the throttle; read only while somebody watches. */
  readonly pressure: Pressure
}

const PRESSURE_MS = 2_000
const INTERVAL_MS = 5_000
const BOUND_MS = 2_000

export function createSignals(options: SignalsOptions): Signals {
  const { database, agent, now } = options
  const ours = `sti ${agent} `.slice(0, 63)
  const probes: Probe[] = []
  const connection = (purpose: string, settings: EngineSettings = {}): Probe => {
    const opened = probe(
      () => database.engine({ purpose, statementTimeoutMs: BOUND_MS, readOnly: true, ...settings }),
      BOUND_MS,
    )
    probes.push(opened)
    return opened
  }
  const client = options.prometheusUrl === null ? null : prometheus(options.prometheusUrl)
  const asking = { probe: connection('signals'), now }
  const activity = databaseActivity({ ...asking, ours, intervalMs: PRESSURE_MS })
  const statements = queryTime({ ...asking, intervalMs: INTERVAL_MS })
  const replication = replicationLag({ ...asking, intervalMs: PRESSURE_MS })
  const local = localHost({ diskFolder: options.diskFolder ?? '/', intervalMs: INTERVAL_MS, now })
  const watched = new Map(options.rollouts.map((rollout) => [rollout.name, watch(rollout)]))
  const polls: Poll<unknown>[] = [activity, statements, replication, local]
  for (const { api, host, custom } of watched.values()) polls.push(api, ...(host ? [host] : []), ...custom)

  function watch({ name, searchPath, file }: WatchedRollout) {
    const every = { prometheus: client, intervalMs: INTERVAL_MS, now }
    return {
      api: apiReadings({ ...every, source: file.api }),
      host: typeof file.host === 'object' ? promqlHost({ ...every, name, queries: file.host.promql }) : null,
      custom: (file.signals ?? []).map((signal) =>
        customSignal({ ...every, signal, probe: connection(`signal ${signal.name}`, { searchPath }) }),
      ),
    }
  }

  return {
    start: () => polls.forEach((each) => each.start()),
    async stop() {
      polls.forEach((each) => each.stop())
      await Promise.all(probes.map((each) => each.end()))
    },
    database: () => ({ ...activity.read(), querySeconds: statements.read() }),
    replication: replication.read,
    host: (rollout) => (watched.get(rollout ?? '')?.host ?? local).read(),
    api: (rollout) => watched.get(rollout)?.api.read() ?? unknownApi(`no rollout ${rollout} is watched`),
    custom: (rollout) => (watched.get(rollout)?.custom ?? []).map((each) => each.read()),
    pressure: lockPressure({ probe: connection('pressure'), ours, now }),
  }
}
