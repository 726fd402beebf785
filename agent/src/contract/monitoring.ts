import { z } from '@hono/zod-openapi'
import { Instant } from './enums.ts'

/** One thing that enhanced monitoring changed, with what was there before. */
export const MonitoringChange = z
  .object({
    object: z.string().describe('such as track_io_timing of database app'),
    before: z.string().nullable().describe('what was there; null: nothing was set'),
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
    samplingSeconds: z.number().describe('how often application, host and the file’s signals are read'),
    changes: z.array(MonitoringChange),
    refused: z.array(z.string()).describe('what the agent’s role may not do, each saying who has to do what'),
  })
  .openapi('Monitoring')
export type Monitoring = z.infer<typeof Monitoring>
