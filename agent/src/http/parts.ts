import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Holds } from '../alert/holds.ts'
import type { Inbox } from '../alert/inbox.ts'
import type { AlertPath } from '../alert/path.ts'
import type { Config } from '../config.ts'
import type { Dependency, Readiness } from '../contract/index.ts'
import type { Database } from '../database/connect.ts'
import type { Facts } from '../engine/facts.ts'
import type { Kind } from '../engine/kind.ts'
import type { Flags } from '../flag/flags.ts'
import type { IncidentRow } from '../incident/store.ts'
import type { Log } from '../log.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Signals } from '../signals/signals.ts'
import type { Authentication, AuthenticationEnv } from './authentication.ts'

export type App = OpenAPIHono<AuthenticationEnv>

/** What the routes need of the agent; main.ts wires it. */
export interface Parts {
  readonly config: Config
  readonly version: string
  readonly database: Database
  readonly rollouts: readonly Rollout[]
  readonly kinds: readonly Kind[]
  readonly flags: Flags
  readonly signals: Signals
  readonly authentication: Authentication
  readonly log: Log
  readonly holds: Holds
  readonly alertPath: AlertPath
  readonly inbox: Pick<Inbox, 'offer'>
  /** Somebody has acknowledged it, for the first time. */
  incidentAnswered(incident: IncidentRow): void
  /** Reads what is known of a rollout anew. */
  facts(rollout: Rollout): Promise<Facts>
  /** What a rollout still lacks. */
  readiness(facts: Facts): Promise<Readiness>
  /** Tells the runner that there is work. */
  poke(): void
  /** Why nothing is claimed now: the database is away, its state is another environment's. */
  agentFaults(): readonly string[]
  /** Why the state in the database is not this environment's, or null. */
  foreignState(): string | null
  /** Throws while the database has not been reached since the agent started. */
  demandDatabase(): void
  adopt(actor: string): Promise<void>
  health(): Promise<Dependency[]>
  metrics(): Promise<string>
  /** False while the agent stops: streams end. */
  serving(): boolean
}
