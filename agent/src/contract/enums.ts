import { z } from '@hono/zod-openapi'

export const OperationKind = z.enum([
  'expand',
  'baseline',
  'backfill',
  'validation',
  'finalize',
  'flag',
  'rollback',
  'monitoring',
  'rehearsal',
  'column-drop',
  'archive-removal',
])
export type OperationKind = z.infer<typeof OperationKind>

export const OperationState = z.enum([
  /** accepted, nobody has claimed it */
  'queued',
  /** an agent holds the lease */
  'running',
  /** asked to stop at the next safe point */
  'pausing',
  /** stands at a safe point, nothing lost */
  'paused',
  /** asked to end */
  'cancelling',
  /** ended by a person, what was done stays */
  'cancelled',
  /** ended by itself, done */
  'succeeded',
  /** ended by itself, with one error code and one sentence */
  'failed',
])
export type OperationState = z.infer<typeof OperationState>

/** The scopes of a rollback, in the order in which everything is taken back. */
export const RollbackScope = z.enum(['flag', 'data', 'system', 'monitoring'])
export type RollbackScope = z.infer<typeof RollbackScope>

export const Verdict = z.enum(['pass', 'fail', 'inconclusive', 'error'])
export type Verdict = z.infer<typeof Verdict>

export const ValidationLayer = z.enum(['integrity', 'performance', 'system', 'business'])
export type ValidationLayer = z.infer<typeof ValidationLayer>

/** What a token or a person may do; each level includes the ones before it. */
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

/** What a person can ask for; the agent answers for each whether it is allowed now, and if not why. */
export const Action = z.enum([
  'expand',
  'baseline',
  'import-baseline',
  'backfill',
  'validation',
  'finalize',
  'enable',
  'disable',
  'rollback-flag',
  'rollback-data',
  'rollback-system',
  'retry-failed-rows',
  'accept-failed-rows',
  'pause',
  'resume',
  'cancel',
  'tune',
  'accept-client',
  'adopt',
  'monitoring',
  'rollback-monitoring',
  'promote',
  'attest',
  'rehearse',
  'ramp',
  'automatic-rollback',
  'acknowledge',
  'drill',
  'prepare-column-drop',
  'remove-archive',
])
export type Action = z.infer<typeof Action>

/** An instant as ISO 8601 in UTC. */
export const Instant = z.iso.datetime({ offset: true })
