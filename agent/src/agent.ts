import { serve } from '@hono/node-server'
import { randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import { createAlerting } from './alert/alerting.ts'
import { createRollbackPauseCache } from './alert/rollbackPauseCache.ts'
import { createAlertWatchdog } from './alert/watchdog.ts'
import { backfill } from './backfill/backfillKind.ts'
import { createBaseline } from './baseline/baseline.ts'
import { createColumnDrop } from './columnDrop/columnDrop.ts'
import { createArchiveRemoval } from './columnDrop/archiveRemoval.ts'
import { createUsageWatch } from './columnDrop/watch/usageWatch.ts'
import type { Config } from './config.ts'
import { agentActor, RollbackScope, type Readiness } from './contract/index.ts'
import { connect } from './database/connect.ts'
import { adoptDatabase } from './database/databaseIdentity.ts'
import { createDatabaseMonitor } from './database/databaseMonitor.ts'
import type { RolloutFacts } from './kind/facts.ts'
import type { OperationDefinitions } from './kind/kind.ts'
import { noopFailpoint, type FailpointHook } from './kind/failpoints.ts'
import { readPromotionGate } from './evidence/promotionGate.ts'
import { expand } from './expand/expand.ts'
import { finalize } from './finalize/finalize.ts'
import { createGroupWork } from './group/groupRun.ts'
import { createFlags } from './flag/flags.ts'
import { createOffSpool } from './flag/offSpool.ts'
import { checkApplications, checkDependencies } from './health.ts'
import { createReportWorkers } from './evidence/reportWorkers.ts'
import { buildApp } from './http/app.ts'
import { createAuthentication } from './http/authentication.ts'
import { isAtLeast } from './rights/caller.ts'
import { requiredLevel } from './rights/rights.ts'
import type { Log } from './log.ts'
import { createPeakRecorder } from './measure/usagePeaks.ts'
import { createMetrics } from './metrics/metrics.ts'
import { METRICS } from './metrics/names.ts'
import { createFileVersionRecorder } from './operation/fileVersions.ts'
import { readFacts } from './operation/readFacts.ts'
import { createFileCheckCache } from './operation/tableFacts.ts'
import { monitoring } from './monitoring/monitoring.ts'
import type { OperationObserver } from './operation/runContext.ts'
import { createRunner } from './operation/runner.ts'
import { rollbackKind } from './operation/rollbackKind.ts'
import { createScheduler } from './operation/scheduler.ts'
import { createRampKind } from './ramp/ramp.ts'
import { createReconcileLoop, RECONCILE_INTERVAL_SECONDS } from './reconcile/reconcileLoop.ts'
import { inMemoryReadings, reconcileRollout, type ReconcileDependencies } from './reconcile/reconcileRollout.ts'
import { createRehearsal } from './rehearsal/rehearsal.ts'
import { createPullRequestReader } from './columnDrop/pullRequest/pullRequestState.ts'
import { createExternalSystemsMonitor } from './readiness/externalSystems.ts'
import { readReadiness } from './readiness/readiness.ts'
import { checkRolloutFile, privilegeNotes } from './rollout/checkAgainstTable.ts'
import type { Rollout } from './rollout/rollout.ts'
import { groupOf, type RolloutGroup } from './rollout/rolloutGroup.ts'
import { createBackupMonitor } from './signals/backupMonitor.ts'
import { createSignals } from './signals/signals.ts'
import { createValidation } from './validation/validation.ts'

export interface Agent {
  readonly url: string
  stop(): Promise<void>
}

export interface AgentOptions {
  /** Called between any two statements of an operation; tests end the process there. */
  readonly reached?: FailpointHook
  /** The rollouts with several tables. */
  readonly groups?: readonly RolloutGroup[]
}

/** Composes the agent and listens. It starts without the database, reports that, and continues once it is available. */
export async function startAgent(
  config: Config,
  rollouts: readonly Rollout[],
  version: string,
  log: Log,
  { reached = noopFailpoint, groups = [] }: AgentOptions = {},
): Promise<Agent> {
  // A group has one flag, and the same signals and backups for all of its tables.
  const flagged = [...rollouts, ...groups.map((group) => group.rollout)]
  const database = connect(config.databaseUrl, config.agent, {
    replicaUrl: config.replicaUrl,
    stateConnections: config.databaseConnections,
  })
  const logFlagLine = (line: Record<string, unknown>): void => log({ level: 'info', ...line })
  const flags = createFlags({
    database,
    environment: config.environment,
    agent: config.agent,
    rollouts: flagged,
    reached,
    log: logFlagLine,
    spool: createOffSpool({
      folder: config.spoolFolder,
      environment: config.environment,
      databaseUrl: config.databaseUrl,
      log: logFlagLine,
    }),
  })
  const signals = createSignals({
    database,
    agent: config.agent,
    rollouts: flagged,
    prometheusUrl: config.prometheusUrl,
    now: Date.now,
  })
  const validation = createValidation({ signals, environment: config.environment, flagToken: config.tokens.flag })
  const baseline = createBaseline({ signals, environment: config.environment })
  const ramp = createRampKind({
    flags,
    signals,
    environment: config.environment,
    flagToken: config.tokens.flag,
    comparison: (rollout) => alarm.comparison(rollout),
  })
  const rehearsal = createRehearsal({ environment: config.environment })
  const columnUsageWatch = createUsageWatch({
    state: database.state,
    agent: config.agent,
    log,
    lastEvaluation: (rollout) => flags.lastEvaluation(rollout),
  })
  const columnDrop = createColumnDrop({ ...config, watch: columnUsageWatch })
  const kinds: OperationDefinitions = {
    expand,
    baseline,
    backfill,
    validation,
    finalize,
    flag: ramp,
    rollback: rollbackKind,
    monitoring,
    rehearsal,
    'column-drop': columnDrop,
    'archive-removal': createArchiveRemoval(config),
  }
  const rolloutNames = flagged.map((rollout) => rollout.name)
  const peaks = createPeakRecorder({ sql: database.state, recent: signals.recent, rollouts: rolloutNames, log })
  const databaseMonitor = createDatabaseMonitor({
    database,
    log,
    environment: config.environment,
    subscriberReady: flagged.some((rollout) => rollout.file.publication === 'subscriber-ready'),
    onIdentity: (reason) => flags.serveOff(reason),
  })
  const fileChecks = createFileCheckCache(checkRolloutFile, privilegeNotes, database.state, () =>
    database.engine({ purpose: 'check' }),
  )
  const readCurrentFacts = async (rollout: Rollout): Promise<RolloutFacts> => {
    databaseMonitor.assertReady()
    return await readFacts(
      {
        state: database.state,
        environment: config.environment,
        agent: config.agent,
        agentFaults: databaseMonitor.unavailableReasons,
        checks: fileChecks,
        flag: (name) => flags.status(groupOf(name) ?? name),
        backup: (name) => backups.read(groupOf(name) ?? name),
        promotion: (promoted) => readPromotionGate({ ...config, state: database.state }, promoted),
      },
      rollout,
    )
  }
  const backups = createBackupMonitor(database, flagged)
  const externalSystems = createExternalSystemsMonitor({ ...config, state: database.state, rollouts })
  const pullRequestState = config.github === null ? null : createPullRequestReader(config.github)
  const readiness = async (rolloutFacts: RolloutFacts): Promise<Readiness> =>
    await readReadiness(
      {
        ...config,
        state: database.state,
        outside: externalSystems.read,
        pullRequestState,
        families: METRICS.length,
        alertPath: () => ({
          seenAt: alertPath.lastSeenAt(),
          live: alertPath.isLive(),
          starting: alertPath.isStarting(),
        }),
      },
      rolloutFacts,
    )
  const rollbackPauses = createRollbackPauseCache()
  const alertPath = createAlertWatchdog()
  const alarm = createAlerting({
    state: database.state,
    environment: config.environment,
    agent: config.agent,
    guard: config.guard,
    rollouts,
    flags,
    signals,
    rollbackPauses,
    watchdog: alertPath,
    log,
    reached,
    editorScopes: RollbackScope.options.filter((scope) =>
      isAtLeast('editor', requiredLevel(`rollback-${scope}`, config)),
    ),
  })
  const scheduler = createScheduler({
    agent: config.agent,
    state: database.state,
    kinds,
    log,
    poke: () => runner.wake(),
  })
  const reconcileDependencies: ReconcileDependencies = {
    state: database.state,
    agent: config.agent,
    fileVersions: createFileVersionRecorder(database.state, config.agent),
    scheduler,
    signals,
    flags,
    columnUsage: columnUsageWatch,
    alerting: alarm,
    rollbackPauses,
    readReadiness: readiness,
  }
  const reconcileLoop = createReconcileLoop({
    rollouts,
    readFacts: readCurrentFacts,
    reconcile: (facts) => reconcileRollout(reconcileDependencies, facts),
    log,
  })
  const metrics = createMetrics({
    environment: config.environment,
    signals,
    source: {
      build: { version, agent: config.agent },
      refreshSeconds: RECONCILE_INTERVAL_SECONDS,
      // Current at the scrape, even if the database is unavailable.
      rollouts: () =>
        reconcileLoop
          .readings()
          .map((readings) => ({ ...readings, ...inMemoryReadings(reconcileDependencies, readings.rollout) })),
      watchdogSeenAt: alertPath.lastSeenAt,
      alertsDropped: alarm.droppedAlerts,
      pendingOffs: () => rolloutNames.map((rollout) => ({ rollout, seconds: flags.pendingOffSeconds(rollout) })),
    },
  })
  flags.onPropagation((rollout, seconds) => metrics.observePropagation(rollout, seconds))
  const observer: OperationObserver = {
    batchWritten: (row, seconds, rows) => metrics.observeBatch({ rollout: row.rollout, seconds, rows }),
    operationEnded: (row, state) => {
      const seconds = (Date.now() - (row.started_at ?? row.created_at).getTime()) / 1000
      metrics.observeOperation({ rollout: row.rollout, kind: row.kind, state, seconds })
    },
  }
  const turnFlagOff = async (name: string, reason: string): Promise<void> => {
    const rollout = flagged.find((candidate) => candidate.name === name)!
    const actor = agentActor(config.agent)
    await flags.turnOff(rollout, actor, reason, {
      kind: 'rollback',
      idempotencyKey: randomUUID(),
      parameters: { scope: 'flag' },
    })
  }
  const running = {
    agent: config.agent,
    database,
    kinds,
    facts: readCurrentFacts,
    turnFlagOff,
    observer,
    reached,
    log,
    watchPressure: (rollout: string) => signals.watchThrottle(rollout),
  }
  const runner = createRunner({
    ...running,
    rollouts,
    groups: new Map(groups.map((group) => [group.name, createGroupWork(running, group)])),
    agentFaults: databaseMonitor.unavailableReasons,
  })
  const authentication = createAuthentication(config, {
    onKeysChange: (fault) =>
      log(
        fault === null
          ? { level: 'info', message: 'Grafana’s signing keys were fetched.' }
          : { level: 'warning', message: `${fault}. People in Grafana can read but not act.` },
      ),
  })
  const reports = createReportWorkers(config)
  let serving = true
  const app = buildApp({
    config,
    version,
    database,
    rollouts,
    groups,
    kinds,
    flags,
    signals,
    reports,
    authentication,
    log,
    facts: readCurrentFacts,
    readiness,
    judgeEnabling: alarm.judgeEnabling,
    rollbackPauses,
    alertPath,
    inbox: alarm.alertQueue,
    rejectAlerts: alarm.rejectAlerts,
    incidentAcknowledged: ({ rollout, severity, opened_at, acknowledged_at }) =>
      metrics.observeAcknowledgement({
        rollout,
        severity,
        seconds: (acknowledged_at!.getTime() - opened_at.getTime()) / 1000,
      }),
    wakeRunner: runner.wake,
    agentFaults: databaseMonitor.unavailableReasons,
    foreignState: databaseMonitor.foreignState,
    databaseName: databaseMonitor.databaseName,
    requireDatabase: databaseMonitor.assertReady,
    async adopt(actor, reason) {
      await adoptDatabase(database.state, { environment: config.environment, actor, reason, rollouts: rolloutNames })
      await databaseMonitor.checkNow()
    },
    comparison: alarm.comparison,
    health: () => checkDependencies({ database, authentication, prometheusUrl: config.prometheusUrl }),
    applicationHealth: () => checkApplications(rollouts, signals.api),
    metrics: metrics.text,
    serving: () => serving,
  })
  const server = await new Promise<Server>((resolve, reject) => {
    const listening = serve({ fetch: app.fetch, hostname: config.host, port: config.port }, () =>
      resolve(listening),
    ) as Server
    listening.once('error', reject)
  })
  databaseMonitor.start()
  flags.start()
  signals.start()
  externalSystems.start()
  backups.start()
  peaks.start()
  reconcileLoop.start()
  alarm.start()
  runner.start()
  const url = `http://${config.host}:${(server.address() as { port: number }).port}`
  log({
    level: 'info',
    message: 'listening',
    url,
    environment: config.environment,
    rollouts: rolloutNames,
  })
  return {
    url,
    async stop() {
      serving = false
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await runner.stop()
      await alarm.stop()
      externalSystems.stop()
      await Promise.all([
        backups.stop(),
        databaseMonitor.stop(),
        flags.stop(),
        reconcileLoop.stop(),
        peaks.stop(),
        signals.stop(),
      ])
      server.closeAllConnections()
      await reports.stop()
      await closed
      await database.close()
    },
  }
}
