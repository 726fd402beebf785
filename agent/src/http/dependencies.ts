import type { OpenAPIHono } from '@hono/zod-openapi'
import type { RollbackPauseCache } from '../alert/rollbackPauseCache.ts'
import type { AlertQueue } from '../alert/alertQueue.ts'
import type { EnableJudgement } from '../alert/judgeEnabling.ts'
import type { AlertWatchdog } from '../alert/watchdog.ts'
import type { Config } from '../config.ts'
import type { Actor, DependencyHealth, Readiness, VariantComparison } from '../contract/index.ts'
import type { Database } from '../database/connect.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinitions } from '../kind/kind.ts'
import type { ReportWorkers } from '../evidence/reportWorkers.ts'
import type { Flags } from '../flag/flags.ts'
import type { IncidentRow } from '../incident/incidentStore.ts'
import type { Log } from '../log.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { RolloutGroup } from '../rollout/rolloutGroup.ts'
import type { Signals } from '../signals/signals.ts'
import type { Authentication, AuthenticationEnv } from './authentication.ts'

export type App = OpenAPIHono<AuthenticationEnv>

/** What the routes need from the agent; agent.ts composes it. */
export interface ApiDependencies {
  readonly config: Config
  readonly version: string
  readonly database: Database
  readonly rollouts: readonly Rollout[]
  /** The rollouts with several tables. */
  readonly groups: readonly RolloutGroup[]
  readonly kinds: OperationDefinitions
  readonly flags: Flags
  readonly signals: Signals
  readonly reports: ReportWorkers
  readonly authentication: Authentication
  readonly log: Log
  readonly rollbackPauses: RollbackPauseCache
  readonly alertPath: AlertWatchdog
  readonly inbox: Pick<AlertQueue, 'offer'>
  /** Counts alerts of a message that are not valid. */
  rejectAlerts(count: number): void
  /** Called at the first acknowledgement of an incident. */
  incidentAcknowledged(incident: IncidentRow): void
  /** Reads the facts of a rollout again. */
  facts(rollout: Rollout): Promise<RolloutFacts>
  readiness(facts: RolloutFacts): Promise<Readiness>
  /** What the application's readings say about turning the flag on for this percentage now. */
  judgeEnabling(rollout: string, percentage: number): EnableJudgement
  wakeRunner(): void
  /** Why this agent claims no operations now, such as an unavailable database. */
  agentFaults(): readonly string[]
  /** Why the state in the database belongs to another environment, or null. */
  foreignState(): string | null
  /** Identifies the database among all others; null until it has been reached. */
  databaseName(): string | null
  /** @throws until the database was reached once since the agent started */
  requireDatabase(): void
  adopt(actor: Actor, reason: string): Promise<void>
  /** Requests by type against requests by legacy columns; null: there is no control group now. */
  comparison(rollout: string): VariantComparison | null
  health(): Promise<DependencyHealth[]>
  /** If the applications of the rollouts are read, from memory. */
  applicationHealth(): DependencyHealth[]
  metrics(): Promise<string>
  /** False while the agent stops: streams end. */
  serving(): boolean
}
