import { serve } from '@hono/node-server'
import { randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import { createAlarm } from './alert/alarm.ts'
import { readHold } from './alert/hold.ts'
import { createHolds } from './alert/holds.ts'
import { createAlertPath } from './alert/path.ts'
import { readAlarmState } from './alert/state.ts'
import { backfill } from './backfill/kind.ts'
import { createBaseline } from './baseline/baseline.ts'
import { createColumnDrop } from './columnDrop/columnDrop.ts'
import { createArchiveRemoval } from './columnDrop/removal.ts'
import { createColumnWatch } from './columnDrop/watch/watch.ts'
import type { Config } from './config.ts'
import { agentActor, Scope, type Readiness } from './contract/index.ts'
import { connect } from './database/connect.ts'
import { adopt } from './database/identity.ts'
import { watchDatabase } from './database/watch.ts'
import type { Facts } from './engine/facts.ts'
import type { Kind } from './engine/kind.ts'
import { goOnAtOnce, type Reached } from './engine/points.ts'
import { promotionGate } from './evidence/promotion.ts'
import { expand } from './expand/expand.ts'
import { finalize } from './finalize/finalize.ts'
import { createFlags } from './flag/flags.ts'
import { dependencies } from './health.ts'
import { buildApp } from './http/app.ts'
import { createAuthentication } from './http/authentication.ts'
import { reaches } from './http/caller.ts'
import { neededLevel } from './http/rights.ts'
import { readOpenIncidents } from './incident/open.ts'
import { openOwed } from './incident/owed.ts'
import type { Log } from './log.ts'
import { keepPeaks } from './measure/peaks.ts'
import { createMetrics } from './metrics/metrics.ts'
import { SERIES } from './metrics/names.ts'
import { createFileChecks, readFacts } from './operation/facts.ts'
import { monitoring } from './monitoring/monitoring.ts'
import type { Observer } from './operation/observer.ts'
import { createOverview } from './operation/overview.ts'
import { readingsOf } from './operation/readings.ts'
import { createRunner } from './operation/runner.ts'
import { rollback } from './operation/rollbacks.ts'
import { createSchedule } from './operation/schedule.ts'
import { endOvertakenRamps } from './ramp/overtaken.ts'
import { createRamp } from './ramp/ramp.ts'
import { createRehearsal } from './rehearsal/rehearsal.ts'
import { watchOutside } from './readiness/outside.ts'
import { readReadiness } from './readiness/readiness.ts'
import { checkFile, rightsNotes } from './rollout/check.ts'
import type { Rollout } from './rollout/rollout.ts'
import { watchBackups } from './signals/backup.ts'
import { createSignals } from './signals/signals.ts'
import { createValidation } from './validation/validation.ts'

const READ_EVERY_SECONDS = 2

export interface Agent {
  readonly url: string
  stop(): Promise<void>
}

export interface AgentOptions {
  /** Called between any two statements of an operation: for tests that end the process there. */
  readonly reached?: Reached
}

/** Wires the agent and listens. It boots without the database, says so, and goes on when it is there. */
export async function startAgent(
  config: Config,
  rollouts: readonly Rollout[],
  version: string,
  log: Log,
  { reached = goOnAtOnce }: AgentOptions = {},
): Promise<Agent> {
  const database = connect(config.databaseUrl, config.agent, config.replicaUrl)
  const flags = createFlags({
    database,
    environment: config.environment,
    agent: config.agent,
    rollouts,
    reached,
    log: (line) => log({ level: 'info', ...line }),
  })
  const signals = createSignals({
    database,
    agent: config.agent,
    rollouts,
    prometheusUrl: config.prometheusUrl,
    now: Date.now,
  })
  // Every kind of operation; a change of the flag in one step is written by its room at once.
  const validation = createValidation({ signals, environment: config.environment, flagToken: config.tokens.flag })
  const baseline = createBaseline({ signals, environment: config.environment })
  const ramp = createRamp({ flags, signals, environment: config.environment, flagToken: config.tokens.flag })
  const rehearsal = createRehearsal({ environment: config.environment })
  const columnWatch = createColumnWatch({
    state: database.state,
    agent: config.agent,
    log,
    lastEvaluation: (rollout) => flags.lastEvaluation(rollout),
  })
  const columnDrop = createColumnDrop({ ...config, watch: columnWatch })
  const kinds: readonly Kind[] = [
    expand,
    baseline,
    backfill,
    validation,
    finalize,
    rollback,
    monitoring,
    ramp,
    rehearsal,
    columnDrop,
    createArchiveRemoval(config),
  ]
  const names = rollouts.map((rollout) => rollout.name)
  const peaks = keepPeaks({ sql: database.state, recent: signals.recent, rollouts: names, log })
  const watch = watchDatabase({
    database,
    log,
    environment: config.environment,
    subscriberReady: rollouts.some((rollout) => rollout.file.publication === 'subscriber-ready'),
    onIdentity: (reason) => flags.serveOff(reason),
  })
  const checks = createFileChecks(checkFile, rightsNotes, (rollout) =>
    database.engine({ purpose: 'check', searchPath: rollout.searchPath }),
  )
  const facts = async (rollout: Rollout): Promise<Facts> => {
    watch.demand()
    return await readFacts(
      {
        state: database.state,
        environment: config.environment,
        agentFaults: watch.faults,
        checks,
        flag: (name) => flags.status(name),
        backup: backups.read,
        promotion: (one) => promotionGate({ ...config, state: database.state }, one),
      },
      rollout,
    )
  }
  const backups = watchBackups(database, rollouts)
  const outside = watchOutside({ ...config, state: database.state, rollouts })
  const readiness = async (of: Facts): Promise<Readiness> =>
    await readReadiness(
      {
        ...config,
        state: database.state,
        outside: outside.read,
        families: SERIES.length,
        alertPath: () => ({ seenAt: alertPath.seenAt(), live: alertPath.live() }),
      },
      of,
    )
  const holds = createHolds()
  const alertPath = createAlertPath()
  const alarm = createAlarm({
    state: database.state,
    environment: config.environment,
    agent: config.agent,
    guard: config.guard,
    rollouts,
    flags,
    signals,
    holds,
    path: alertPath,
    log,
    editorScopes: Scope.options.filter((scope) => reaches('editor', neededLevel(`rollback-${scope}`, config))),
  })
  const fromMemory = (name: string) => ({
    flag: flags.status(name),
    automaticRollbackArmed: holds.armed(name),
    conditions: alarm.conditions(name),
  })
  const overview = createOverview({
    rollouts,
    facts,
    log,
    async read(read) {
      await schedule.consider(read)
      await endOvertakenRamps(database.state, read, config.agent)
      await columnWatch.consider(read)
      signals.sample(read.rollout.name, read.monitoring.enhanced ? read.monitoring.samplingSeconds : null)
      const { name } = read.rollout
      if (read.blockers.length === 0) await openOwed(database.state, name, agentActor(config.agent))
      holds.set(name, await readHold(database.state, name))
      const numbers = await readingsOf(database.state, read)
      alarm.saw(name, await readAlarmState(database.state, read, numbers))
      const incidents = await readOpenIncidents(database.state, read.rollout)
      return { ...numbers, readiness: await readiness(read), incidents, ...fromMemory(name) }
    },
    seconds: READ_EVERY_SECONDS,
  })
  const metrics = createMetrics({
    environment: config.environment,
    signals,
    source: {
      build: { version, agent: config.agent },
      refreshSeconds: READ_EVERY_SECONDS,
      // As they are at the scrape, also while the database is away.
      rollouts: () => overview.readings().map((one) => ({ ...one, ...fromMemory(one.rollout) })),
      alertPathSeenAt: alertPath.seenAt,
    },
  })
  flags.onPropagation((rollout, seconds) => metrics.propagationObserved(rollout, seconds))
  const observer: Observer = {
    progressed: () => undefined,
    batch: (row, seconds, rows) => metrics.batchObserved({ rollout: row.rollout, seconds, rows }),
    ended: (row, state) => {
      const seconds = (Date.now() - (row.started_at ?? row.created_at).getTime()) / 1000
      metrics.operationEnded({ rollout: row.rollout, kind: row.kind, state, seconds })
    },
  }
  const turnFlagOff = async (name: string, reason: string): Promise<void> => {
    const rollout = rollouts.find((one) => one.name === name)!
    const actor = agentActor(config.agent)
    await flags.turnOff(rollout, actor, reason, {
      kind: 'rollback',
      idempotencyKey: randomUUID(),
      parameters: { scope: 'flag' },
    })
  }
  const runner = createRunner({
    agent: config.agent,
    database,
    rollouts,
    kinds,
    facts,
    turnFlagOff,
    observer,
    reached,
    log,
    agentFaults: watch.faults,
    watchPressure: (rollout) => signals.watch(rollout),
  })
  const schedule = createSchedule({
    agent: config.agent,
    state: database.state,
    kinds,
    log,
    poke: () => runner.poke(),
  })
  const authentication = createAuthentication(config)
  let serving = true
  const app = buildApp({
    config,
    version,
    database,
    rollouts,
    kinds,
    flags,
    signals,
    authentication,
    log,
    facts,
    readiness,
    holds,
    alertPath,
    inbox: alarm.inbox,
    incidentAnswered: ({ rollout, severity, opened_at, acknowledged_at }) =>
      metrics.incidentAcknowledged({
        rollout,
        severity,
        seconds: (acknowledged_at!.getTime() - opened_at.getTime()) / 1000,
      }),
    poke: runner.poke,
    agentFaults: watch.faults,
    foreignState: watch.foreignState,
    demandDatabase: watch.demand,
    async adopt(actor) {
      await adopt(database.state, config.environment, actor)
      await watch.look()
    },
    health: () => dependencies({ database, authentication, prometheusUrl: config.prometheusUrl }),
    metrics: metrics.text,
    serving: () => serving,
  })
  const server = await new Promise<Server>((resolve, reject) => {
    const listening = serve({ fetch: app.fetch, hostname: config.host, port: config.port }, () =>
      resolve(listening),
    ) as Server
    listening.once('error', reject)
  })
  watch.start()
  flags.start()
  signals.start()
  outside.start()
  backups.start()
  peaks.start()
  overview.start()
  alarm.start()
  runner.start()
  const url = `http://${config.host}:${(server.address() as { port: number }).port}`
  log({
    level: 'info',
    message: 'listening',
    url,
    environment: config.environment,
    rollouts: names,
  })
  return {
    url,
    async stop() {
      serving = false
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await runner.stop()
      await alarm.stop()
      outside.stop()
      await Promise.all([backups.stop(), watch.stop(), flags.stop(), overview.stop(), peaks.stop(), signals.stop()])
      server.closeAllConnections()
      await closed
      await database.close()
    },
  }
}
