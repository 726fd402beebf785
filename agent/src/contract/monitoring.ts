import { z } from '@hono/zod-openapi'
import { Instant } from './enums.ts'

/** One change made by enhanced monitoring. */
export const MonitoringChange = z
  .object({
    object: z.string().describe('changed object, such as track_io_timing of database app'),
    before: z.string().nullable().describe('previous value; null: not set'),
    now: z.string(),
    at: Instant,
    operationId: z.number().int(),
  })
  .openapi('MonitoringChange')
export type MonitoringChange = z.infer<typeof MonitoringChange>

export const Monitoring = z
  .object({
    enhanced: z.boolean(),
    since: Instant.nullable(),
    samplingSeconds: z.number().describe('sampling interval of the application, the host, and the custom signals'),
    changes: z.array(MonitoringChange),
    refused: z.array(z.string()).describe('changes that the agent’s role has no privilege for, each with what to do'),
  })
  .openapi('Monitoring')
export type Monitoring = z.infer<typeof Monitoring>
