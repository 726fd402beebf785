import { createRoute, z } from '@hono/zod-openapi'
import { AgentStatus, CONTRACT_VERSION } from '../../contract/index.ts'
import { toActor, openApiResponses, requireRight } from '../routeHelpers.ts'
import type { App, ApiDependencies } from '../dependencies.ts'
import { Refusal } from '../problem.ts'

const getAgentRoute = createRoute({
  method: 'get',
  path: '/v1/agent',
  responses: openApiResponses(200, AgentStatus, 'this agent and its dependencies'),
})
const adoptStateRoute = createRoute({
  method: 'post',
  path: '/v1/agent/adopt',
  request: {
    body: {
      content: {
        'application/json': { schema: z.object({ environment: z.string(), reason: z.string().min(1).max(2000) }) },
      },
      required: true,
    },
  },
  responses: openApiResponses(
    200,
    z.object({ adopted: z.literal(true) }),
    'the state in the database now belongs to this environment',
  ),
})

export function agentRoutes(app: App, deps: ApiDependencies): void {
  const { config } = deps
  app.openapi(getAgentRoute, async (c) => {
    const caller = c.get('caller')
    return c.json(
      {
        agent: config.agent,
        version: deps.version,
        contract: CONTRACT_VERSION,
        environment: config.environment,
        production: config.production,
        rollouts: deps.rollouts.map((rollout) => rollout.name),
        groups: deps.groups.map((group) => group.name),
        dependencies: [...(await deps.health()), ...deps.applicationHealth()],
        foreignState: deps.foreignState(),
        database: deps.databaseName(),
        signingKey: config.signingKey?.publicKey ?? null,
        you: { name: caller.name, level: caller.level, mayAct: caller.mayAct, why: caller.why },
      },
      200,
    )
  })
  app.openapi(adoptStateRoute, async (c) => {
    const caller = c.get('caller')
    requireRight(deps, caller, 'adopt')
    const { environment, reason } = c.req.valid('json')
    if (environment !== config.environment) {
      throw new Refusal(
        'wrong-environment',
        `This agent serves ${config.environment}; the request is for ${environment}. Nothing was done.`,
      )
    }
    await deps.adopt(toActor(caller), reason)
    deps.log({ level: 'warning', message: 'The state in the database was adopted.', by: caller.name, reason })
    return c.json({ adopted: true as const }, 200)
  })
}
