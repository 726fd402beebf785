import type { OpenAPIHono } from '@hono/zod-openapi'
import type { RollbackHoldCache } from '../alert/rollbackHoldCache.ts'
import type { AlertQueue } from '../alert/alertQueue.ts'
import type { AlertWatchdog } from '../alert/watchdog.ts'
import type { Config } from '../config.ts'
import type { DependencyHealth, Readiness } from '../contract/index.ts'
import type { Database } from '../database/connect.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinitions } from '../kind/kind.ts'
import type { Flags } from '../flag/flags.ts'
import type { IncidentRow } from '../incident/incidentStore.ts'
import type { Log } from '../log.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Signals } from '../signals/signals.ts'
import type { Authentication, AuthenticationEnv } from './authentication.ts'

export type App = OpenAPIHono<AuthenticationEnv>

/** What the routes need of the agent; main.ts wires it. */
export interface ApiDependencies {
  readonly config: Config
  readonly version: string
  readonly database: Database
  readonly rollouts: readonly Rollout[]
  readonly kinds: OperationDefinitions
  readonly flags: Flags
  readonly signals: Signals
  readonly authentication: Authentication
  readonly log: Log
  readonly holds: RollbackHoldCache
  readonly alertPath: AlertWatchdog
  readonly inbox: Pick<AlertQueue, 'offer'>
  /** Somebody has acknowledged it, for the first time. */
  incidentAcknowledged(incident: IncidentRow): void
  /** Reads what is known of a rollout anew. */
  facts(rollout: Rollout): Promise<RolloutFacts>
  /** What a rollout still lacks. */
  readiness(facts: RolloutFacts): Promise<Readiness>
  /** Tells the runner that there is work. */
  wakeRunner(): void
  /** Why nothing is claimed now: the database is away, its state is another environment's. */
  agentFaults(): readonly string[]
  /** Why the state in the database is not this environment's, or null. */
  foreignState(): string | null
  /** Throws while the database has not been reached since the agent started. */
  requireDatabase(): void
  adopt(actor: string): Promise<void>
  health(): Promise<DependencyHealth[]>
  metrics(): Promise<string>
  /** False while the agent stops: streams end. */
  serving(): boolean
}
