import { z } from '@hono/zod-openapi'
import { PublicKey } from './promotion.ts'
import { AccessLevel } from './enums.ts'

/** Version of this contract; the plugin refuses to act on an agent with another major one. */
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
    agent: z.string().describe('the name of this process'),
    version: z.string(),
    contract: z.string(),
    environment: z.string(),
    production: z.boolean().describe('the environment is marked as production: the UI shows it in red'),
    rollouts: z.array(z.string()).describe('their names, known also while the database is away'),
    dependencies: z.array(DependencyHealth),
    foreignState: z.string().nullable().describe('why the state in the database is not this environment’s, or null'),
    signingKey: PublicKey.nullable().describe('what its reports are signed with; null: they are not signed'),
    you: z.object({ name: z.string(), level: AccessLevel, mayAct: z.boolean(), why: z.string().nullable() }),
  })
  .openapi('AgentStatus')
export type AgentStatus = z.infer<typeof AgentStatus>
