import { z } from '@hono/zod-openapi'
import { Instant, RolloutStage } from './enums.ts'
import { FlagStatus } from './flag.ts'
import { nullable } from './nullable.ts'
import { Operation } from './operation.ts'
import { AllowedAction } from './rollout.ts'

export const GroupTable = z
  .object({
    rollout: z.string().describe('name of the rollout of this table, such as vehicles@tenant_1'),
    schema: z.string(),
    table: z.string().describe('as SQL'),
    stage: RolloutStage.describe('as far as the operations of the group have brought it'),
    state: z
      .enum(['waiting', 'running', 'paused', 'succeeded', 'failed', 'cancelled'])
      .describe('of the last operation of the group in this table'),
    operation: z.number().int().nullable().describe('its operation in this table; null: nothing had to be done'),
    error: z.string().nullable(),
    seconds: z.number().nullable().describe('seconds of work'),
    changedAt: Instant,
  })
  .openapi('GroupTable')
export type GroupTable = z.infer<typeof GroupTable>

/** A rollout with several tables. */
export const Group = z
  .object({
    rollout: z.string(),
    environment: z.string(),
    names: z.string().describe('how the file names its tables'),
    flag: FlagStatus,
    running: nullable(Operation),
    total: z.number().int().describe('tables that an operation has looked at'),
    states: z.record(z.string(), z.number().int()).describe('number of tables by state'),
    stages: z.record(z.string(), z.number().int()).describe('number of tables by stage'),
    newSchemas: z
      .array(z.string())
      .describe('schemas whose table no operation has looked at yet, such as those of new tenants; up to 30 s old'),
    actions: z
      .array(AllowedAction)
      .describe('what is possible with several tables; what each table lacks is in the preview of an operation'),
    tables: z.array(GroupTable).describe('failed ones first, then the slowest'),
  })
  .openapi('Group')
export type Group = z.infer<typeof Group>
