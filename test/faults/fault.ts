import type postgres from 'postgres'
import type { ValidationLayer } from '../../agent/src/contract/index.ts'
import type { TestAgentClient } from '../support/agent.ts'
import type { PostgresServer } from '../support/server.ts'
import type { FaultyApplication } from './faultyApplication.ts'

/** Where a fault is seeded: which table, server and load it needs. */
export const ENVIRONMENT_NAMES = ['vehicles', 'partitions', 'server', 'traffic', 'machine', 'disk'] as const
export type FaultEnvironmentName = (typeof ENVIRONMENT_NAMES)[number]

/** One kind of fault, and what has to find it. */
export interface SeededFault {
  readonly name: string
  /** What is seeded, as one sentence without its full stop. */
  readonly what: string
  readonly ground: FaultEnvironmentName
  readonly layer: ValidationLayer
  /** Checks of that layer of which at least one has to fail. */
  readonly checks: readonly string[]
  /** It makes something unreadable or takes away what there is to compare with: then inconclusive, and for this reason. */
  readonly unknown?: RegExp
  /** Other checks that see the same fault and may honestly fail as well; of each other one a fail is a false alarm. */
  readonly follows?: readonly string[]
  /** Answers how to undo what lies outside of the database, which is thrown away. */
  seed(place: FaultPlace): Promise<UndoFault | void>
  /** Only these are asked while it lasts: whatever reads the table waits until it is over, as it should. */
  readonly layers?: readonly ValidationLayer[]
}

export type UndoFault = () => Promise<void>

/** A healthy rollout: finalized, the flag off, a real agent and a real application beside it. */
export interface FaultPlace {
  readonly url: string
  /** As the superuser. */
  readonly sql: postgres.Sql
  readonly agent: TestAgentClient
  readonly application: FaultyApplication
  readonly server: PostgresServer
  /** Fills the file system of the agent's machine up to this part; null where that is everybody's. */
  readonly fillDisk: ((part: number) => Promise<void>) | null
}

/** This machine does not allow that the fault is seeded: it is left out, and said. */
export class UnsupportedMachineError extends Error {}
