import { z } from '@hono/zod-openapi'
import { UNITS } from '../format/format.ts'
import { Action } from './actions.ts'
import { Instant } from './enums.ts'

/** The steps of a rollout, in order. */
export const StepName = z.enum([
  'baseline',
  'expand',
  'backfill',
  'validate',
  'finalize',
  'flag',
  'soak',
  'column-drop',
])
export type StepName = z.infer<typeof StepName>

export const StepState = z.enum([
  'done',
  /** Its operation is open, or the flag is on for a part of the requests, or the soak time is running. */
  'current',
  /** The next thing to do. */
  'next',
  /** The next thing to do, but something else has to be done first. */
  'blocked',
  /** The next thing to do; its last attempt failed or was rolled back. */
  'failed',
  'later',
])
export type StepState = z.infer<typeof StepState>

export const RolloutStep = z
  .object({
    step: StepName,
    state: StepState,
    fact: z.string().describe('the most important fact about the step in a few words, such as 62%'),
    at: Instant.nullable().describe('when the fact became true; null: unknown, or now'),
  })
  .openapi('RolloutStep')
export type RolloutStep = z.infer<typeof RolloutStep>

export const NextStep = z
  .object({
    step: StepName,
    action: Action.nullable().describe('the action that starts it; null: there is nothing to start, only to wait'),
    sentence: z.string().describe('what it does, or what to wait for'),
    blockedBy: z.array(z.string()).describe('why it cannot start now, apart from rights'),
    unblock: Action.nullable().describe('the action that removes the first cause; null: none does'),
  })
  .openapi('NextStep')
export type NextStep = z.infer<typeof NextStep>

export const VitalSignName = z.enum([
  'api-latency-p95',
  'api-error-ratio',
  'lock-waiters',
  'replication-lag',
  'failed-rows',
])
export type VitalSignName = z.infer<typeof VitalSignName>

export const VitalSign = z
  .object({
    name: VitalSignName,
    unit: z.enum(UNITS).describe('the unit of value, limit, and baseline'),
    value: z.number().nullable().describe('null: unknown, or there is nothing to measure'),
    limit: z.number().nullable().describe('null: it has no limit'),
    baseline: z.number().nullable().describe('mean in the newest usable baseline; null: none'),
    state: z.enum(['ok', 'exceeded', 'unknown']),
    detail: z.string().nullable().describe('why there is no value or no limit'),
  })
  .openapi('VitalSign')
export type VitalSign = z.infer<typeof VitalSign>
