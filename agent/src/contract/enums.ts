import { z } from '@hono/zod-openapi'

export const OperationState = z.enum([
  /** Accepted; no agent has claimed it yet. */
  'queued',
  /** An agent holds the lease. */
  'running',
  /** Stops at the next safe point. */
  'pausing',
  /** Stopped at a safe point; nothing is lost. */
  'paused',
  /** Ends at the next safe point. */
  'cancelling',
  /** Ended by a person; completed work is kept. */
  'cancelled',
  /** Completed. */
  'succeeded',
  /** Ended with one error code and one sentence. */
  'failed',
])
export type OperationState = z.infer<typeof OperationState>

/** The states that an operation never leaves. */
export const ENDED_STATES = ['succeeded', 'failed', 'cancelled'] as const satisfies readonly OperationState[]
export type EndedState = (typeof ENDED_STATES)[number]

export const isEnded = (state: OperationState): state is EndedState => ENDED_STATES.some((ended) => ended === state)

/** The scopes of a rollback, in the order in which a complete rollback runs them. */
export const RollbackScope = z.enum(['flag', 'data', 'system', 'monitoring'])
export type RollbackScope = z.infer<typeof RollbackScope>

export const Verdict = z.enum(['pass', 'fail', 'inconclusive', 'error'])
export type Verdict = z.infer<typeof Verdict>

export const ValidationLayer = z.enum(['integrity', 'performance', 'system', 'business'])
export type ValidationLayer = z.infer<typeof ValidationLayer>

/** The layers that judge the rows of a table; the others judge the service and the server. */
export const ROW_LAYERS = ['integrity', 'business'] as const satisfies readonly ValidationLayer[]
export const judgesRows = (layer: ValidationLayer): boolean => ROW_LAYERS.some((each) => each === layer)

/** The permissions of a token or a person; each level includes the previous ones. */
export const AccessLevel = z.enum(['viewer', 'editor', 'admin'])
export type AccessLevel = z.infer<typeof AccessLevel>

export const RolloutStage = z.enum([
  'new',
  'expanded',
  'backfilling',
  'covered',
  'verified',
  'finalized',
  'ramping',
  'enabled',
  'ready-to-drop',
  'dropped',
  'rolled-back',
])
export type RolloutStage = z.infer<typeof RolloutStage>

/** An instant as ISO 8601 in UTC. */
export const Instant = z.iso.datetime({ offset: true })
