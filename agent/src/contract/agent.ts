import { z } from '@hono/zod-openapi'
import { nullable } from './nullable.ts'
import { PublicKey } from './promotion.ts'
import { AccessLevel } from './enums.ts'

/** Version of this contract; the plugin refuses to act on an agent with another major version. */
export const CONTRACT_VERSION = '1.0'

export const DependencyHealth = z
  .object({
    name: z.enum(['postgresql', 'prometheus', 'grafana-keys', 'api']),
    healthy: z.boolean(),
    detail: z.string(),
  })
  .openapi('Dependency')
export type DependencyHealth = z.infer<typeof DependencyHealth>

export const AgentStatus = z
  .object({
    agent: z.string().describe('name of this process'),
    version: z.string(),
    contract: z.string(),
    environment: z.string(),
    production: z.boolean().describe('marked as production: the UI shows the environment in red'),
    rollouts: z.array(z.string()).describe('names of the rollouts; available even if the database is not'),
    groups: z.array(z.string()).optional().describe('names of the rollouts with several tables'),
    dependencies: z.array(DependencyHealth),
    foreignState: z
      .string()
      .nullable()
      .describe('why the state in the database belongs to another environment, or null'),
    database: z
      .string()
      .nullable()
      .describe(
        'the same for every agent of this database, and different for every other database; null: not reached yet',
      ),
    signingKey: nullable(PublicKey).describe('public key that verifies its reports; null: reports are not signed'),
    you: z.object({ name: z.string(), level: AccessLevel, mayAct: z.boolean(), why: z.string().nullable() }),
  })
  .openapi('AgentStatus')
export type AgentStatus = z.infer<typeof AgentStatus>
