import type postgres from 'postgres'
import type { ValidationLayer } from '../../agent/src/contract/index.ts'
import type { TestAgentClient } from '../support/agent.ts'
import type { PostgresServer } from '../support/server.ts'
import type { FaultyApplication } from './faultyApplication.ts'

/** Where a fault is seeded: the table, server and load it needs. */
export const ENVIRONMENT_NAMES = ['vehicles', 'partitions', 'server', 'traffic', 'machine', 'disk'] as const
export type FaultEnvironmentName = (typeof ENVIRONMENT_NAMES)[number]

/** One kind of fault and the checks that must find it. */
export interface SeededFault {
  readonly name: string
  /** The seeded fault, as a sentence without a full stop. */
  readonly what: string
  readonly environment: FaultEnvironmentName
  readonly layer: ValidationLayer
  /** Checks of the layer; at least one of them must fail. */
  readonly checks: readonly string[]
  /** The fault makes something unreadable or incomparable: a check must be inconclusive for this reason instead. */
  readonly unknown?: RegExp
  /** The fault is no error by itself: a check must pass with a detail that reports it. */
  readonly reported?: RegExp
  /** Other checks that may fail because of the same fault. A failure of any other check is a false alarm. */
  readonly follows?: readonly string[]
  /** Returns how to undo changes outside the database, which is dropped anyway. */
  seed(place: FaultPlace): Promise<UndoFault | void>
  /** The layers to validate while the fault lasts, if a table scan would wait until it is over. */
  readonly layers?: readonly ValidationLayer[]
}

export type UndoFault = () => Promise<void>

/** A healthy rollout: finalized, the flag off, with a real agent and a real application. */
export interface FaultPlace {
  readonly url: string
  /** A superuser connection. */
  readonly sql: postgres.Sql
  readonly agent: TestAgentClient
  readonly application: FaultyApplication
  readonly server: PostgresServer
  /** Fills the file system of the agent to this ratio; null if the agent shares it with the machine. */
  readonly fillDisk: ((part: number) => Promise<void>) | null
}

/** The fault cannot be seeded on this machine; it is skipped and reported. */
export class UnsupportedMachineError extends Error {}
