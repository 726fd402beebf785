import { z } from '@hono/zod-openapi'
import { Actor } from './operation.ts'
import { Instant, RollbackScope } from './enums.ts'

/** How soon an alert wants somebody: critical 5 minutes, warning 15, info 60. */
export const Severity = z.enum(['critical', 'warning', 'info'])
export type Severity = z.infer<typeof Severity>

/** Seconds until an incident of this severity is to be acknowledged. */
export const ACKNOWLEDGE_TIMEOUT_SECONDS = { critical: 300, warning: 900, info: 3_600 } as const satisfies Record<
  Severity,
  number
>

export const ConditionState = z.enum(['healthy', 'unhealthy', 'unknown'])
export type ConditionState = z.infer<typeof ConditionState>

/** What the agent itself reads of a rule. */
export const ConditionReading = z
  .object({ state: ConditionState, sentence: z.string() })
  .describe('what the agent itself reads of the rule')
  .openapi('OwnReading')
export type ConditionReading = z.infer<typeof ConditionReading>

export const IncidentState = z.enum(['open', 'acknowledged', 'closed'])
export type IncidentState = z.infer<typeof IncidentState>

export const Escalation = z
  .object({
    level: z.number().int().min(0).max(4).describe('how many levels have been reached without an acknowledgement'),
    role: z.string().nullable().describe('the contact of that level; null: nobody yet, or the file names none'),
    nextAt: Instant.nullable().describe('when the next level is reached; null: none is to come'),
    nextRole: z.string().nullable(),
  })
  .openapi('Escalation')
export type Escalation = z.infer<typeof Escalation>

export const Incident = z
  .object({
    id: z.number().int(),
    rollout: z.string().nullable().describe('null: it is of the environment as a whole'),
    environment: z.string(),
    rule: z.string().describe('name of the alert, such as StiApiErrorsHigh'),
    change: z.string().nullable().describe('what it is about, such as flag-12 or backfill-7'),
    severity: Severity,
    state: IncidentState,
    drill: z.boolean(),
    source: z.enum(['grafana', 'alertmanager', 'guard', 'operation', 'drill']).describe('what opened it'),
    summary: z.string(),
    reasons: z.array(z.string()).describe('what the agent decided, and why'),
    reading: ConditionReading.nullable().describe('null: the agent has no reading of this rule'),
    rollback: z
      .object({ scope: RollbackScope, at: Instant, operationId: z.number().int().nullable() })
      .nullable()
      .describe('what was rolled back by itself; null: nothing'),
    openedAt: Instant,
    seenAt: Instant.describe('when it was last heard of'),
    times: z.number().int().describe('alerts that it was opened or updated by'),
    acknowledgeBy: Instant.describe('the clock of its severity; it never restarts'),
    late: z.boolean().describe('it was not acknowledged by then'),
    acknowledgedAt: Instant.nullable(),
    acknowledgedBy: Actor.nullable(),
    acknowledgedNote: z.string().nullable(),
    acknowledgedSeconds: z.number().nullable().describe('from its opening to its acknowledgement'),
    escalation: Escalation,
    closedAt: Instant.nullable(),
    closedBy: Actor.nullable(),
    closedNote: z.string().nullable(),
  })
  .openapi('Incident')
export type Incident = z.infer<typeof Incident>

/** Whether an alert may roll back by itself. */
export const AutomaticRollback = z
  .object({
    armed: z.boolean().nullable().describe('null: the database has not been read since the agent started'),
    scopes: z.array(z.string()).describe('as the rollout file says'),
    pausedBy: z.string().nullable(),
    pausedUntil: Instant.nullable(),
    reason: z.string().nullable(),
    guard: z.boolean().describe('the agent also reads the signals by itself (STI_GUARD)'),
    pathSeenAt: Instant.nullable().describe('when this agent last saw the watchdog alert; null: not since it started'),
    pathLive: z.boolean().describe('it has been seen within three of its intervals'),
  })
  .openapi('AutomaticRollback')
export type AutomaticRollback = z.infer<typeof AutomaticRollback>

export const AutomaticRollbackRequest = z
  .object({
    environment: z.string().optional().describe('the environment the caller believes it acts on; another answers 409'),
    armed: z.boolean(),
    until: Instant.optional().describe('false: when it arms itself again, at most 7 days from now; default 1 hour'),
    reason: z.string().min(1).max(2000),
  })
  .strict()
  .openapi('AutomaticRollbackRequest')
export type AutomaticRollbackRequest = z.infer<typeof AutomaticRollbackRequest>

export const IncidentNote = z
  .object({ note: z.string().max(2000).optional() })
  .strict()
  .openapi('IncidentNote')
export type IncidentNote = z.infer<typeof IncidentNote>

export const DrillRequest = z
  .object({
    environment: z.string().describe('the environment the caller believes it acts on; another answers 409'),
    severity: Severity.default('critical'),
    rollBackFlag: z
      .boolean()
      .default(false)
      .describe('also turn the flag off, and measure until every client has seen it'),
    reason: z.string().max(2000).optional(),
  })
  .strict()
  .openapi('DrillRequest')
export type DrillRequest = z.infer<typeof DrillRequest>
