import { z } from '@hono/zod-openapi'
import { Instant } from './enums.ts'

export const FlagClient = z
  .object({
    client: z.string(),
    lastSeenAt: Instant,
    answeredOn: z.boolean().describe('the last evaluation it received was on'),
    stale: z.boolean().describe('may still use an older state of the flag'),
    acceptedBy: z.string().nullable(),
  })
  .openapi('FlagClient')
export type FlagClient = z.infer<typeof FlagClient>

export const FlagStatus = z
  .object({
    key: z.string(),
    enabled: z.boolean(),
    percentage: z.number(),
    version: z.number().int(),
    changedAt: Instant.nullable(),
    changedBy: z.string().nullable(),
    persisted: z.boolean(),
    ageSeconds: z.number().nullable().describe('seconds since the database last confirmed the state; null: never'),
    clients: z.array(FlagClient),
    consistent: z.boolean().describe('no client is stale'),
    lastPropagationSeconds: z.number().nullable(),
  })
  .openapi('FlagStatus')
export type FlagStatus = z.infer<typeof FlagStatus>
