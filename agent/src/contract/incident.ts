import { z } from '@hono/zod-openapi'
import { nullable } from './nullable.ts'
import { Actor } from './operation.ts'
import { Instant, RollbackScope } from './enums.ts'

/** How soon an alert must be acknowledged: critical within 5 minutes, warning 15, info 60. */
export const Severity = z.enum(['critical', 'warning', 'info'])
export type Severity = z.infer<typeof Severity>

/** Seconds within which an incident must be acknowledged, by severity. */
export const ACKNOWLEDGE_TIMEOUT_SECONDS = { critical: 300, warning: 900, info: 3_600 } as const satisfies Record<
  Severity,
  number
>

export const ConditionState = z.enum(['healthy', 'unhealthy', 'unknown'])
export type ConditionState = z.infer<typeof ConditionState>

export const ConditionReading = z
  .object({ state: ConditionState, sentence: z.string() })
  .describe('the agent’s own reading of the condition of the rule')
  .openapi('OwnReading')
export type ConditionReading = z.infer<typeof ConditionReading>

export const IncidentState = z.enum(['open', 'acknowledged', 'closed'])
export type IncidentState = z.infer<typeof IncidentState>

const IncidentSource = z.enum(['grafana', 'alertmanager', 'guard', 'operation', 'drill'])

export const Escalation = z
  .object({
    level: z.number().int().min(0).max(4).describe('escalation levels reached without an acknowledgement'),
    role: z.string().nullable().describe('contact of that level; null: none yet, or none in the file'),
    nextAt: Instant.nullable().describe('when the next level is reached; null: there is none'),
    nextRole: z.string().nullable(),
  })
  .openapi('Escalation')
export type Escalation = z.infer<typeof Escalation>

export const Incident = z
  .object({
    id: z.number().int(),
    rollout: z.string().nullable().describe('null: it affects the whole environment'),
    environment: z.string(),
    rule: z.string().describe('name of the alert rule, such as StiApiErrorsHigh'),
    change: z.string().nullable().describe('related change, such as flag-12 or backfill-7'),
    severity: Severity,
    state: IncidentState,
    drill: z.boolean(),
    source: IncidentSource.describe('what opened it'),
    summary: z.string(),
    reasons: z.array(z.string()).describe('decisions of the agent and their reasons'),
    reading: nullable(ConditionReading).describe('null: the agent does not monitor this condition itself'),
    joined: z
      .array(
        z.object({
          change: z.string(),
          summary: z.string(),
          source: IncidentSource,
          firstSeenAt: Instant,
          seenAt: Instant,
          times: z.number().int().describe('number of its alerts'),
        }),
      )
      .describe('other changes whose alerts joined this incident, each with its own summary; at most 20'),
    rollback: z
      .object({ scope: RollbackScope, at: Instant, operationId: z.number().int().nullable() })
      .nullable()
      .describe('automatic rollback; null: none'),
    openedAt: Instant,
    seenAt: Instant.describe('when its alert last arrived'),
    times: z.number().int().describe('number of alerts that opened or updated it'),
    acknowledgeBy: Instant.describe('deadline of its severity; it never restarts'),
    late: z.boolean().describe('not acknowledged by the deadline'),
    acknowledgedAt: Instant.nullable(),
    acknowledgedBy: nullable(Actor),
    acknowledgedNote: z.string().nullable(),
    acknowledgedSeconds: z.number().nullable().describe('seconds from opening to acknowledgement'),
    escalation: Escalation,
    closedAt: Instant.nullable(),
    closedBy: nullable(Actor),
    closedNote: z.string().nullable(),
  })
  .openapi('Incident')
export type Incident = z.infer<typeof Incident>

/** An incident that needs a person: neither closed, nor a drill, nor information. */
export const isOpenIncident = ({ state, drill, severity }: Pick<Incident, 'state' | 'drill' | 'severity'>): boolean =>
  state !== 'closed' && !drill && severity !== 'info'

/** State of the automatic rollback. */
export const AutomaticRollback = z
  .object({
    armed: z.boolean().nullable().describe('null: not read from the database since the agent started'),
    scopes: z.array(z.string()).describe('scopes in the rollout file'),
    pausedBy: z.string().nullable(),
    pausedUntil: Instant.nullable(),
    reason: z.string().nullable(),
    guard: z.boolean().describe('the agent also evaluates the signals itself (STI_GUARD)'),
    pathSeenAt: Instant.nullable().describe(
      'when the watchdog alert last reached this agent; null: not since it started',
    ),
    pathLive: z.boolean().describe('the watchdog alert arrived within three of its intervals'),
    pathStarting: z
      .boolean()
      .describe('the agent started less than three intervals ago, so the first watchdog alert can still be on its way'),
  })
  .openapi('AutomaticRollback')
export type AutomaticRollback = z.infer<typeof AutomaticRollback>

export const AutomaticRollbackRequest = z
  .object({
    environment: z
      .string()
      .optional()
      .describe('the environment that the caller expects; any other environment answers 409'),
    armed: z.boolean(),
    until: Instant.optional().describe('armed: false: end of the pause, at most 7 days from now; default 1 hour'),
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
    environment: z.string().describe('the environment that the caller expects; any other environment answers 409'),
    severity: Severity.default('critical'),
    rollBackFlag: z
      .boolean()
      .default(false)
      .describe('also turn the flag off, and measure the time until every client has seen it'),
    reason: z.string().max(2000).optional(),
  })
  .strict()
  .openapi('DrillRequest')
export type DrillRequest = z.infer<typeof DrillRequest>
