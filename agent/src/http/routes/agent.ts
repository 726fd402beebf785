import { createRoute, z } from '@hono/zod-openapi'
import { AgentStatus, CONTRACT_VERSION } from '../../contract/index.ts'
import { actorOf, answers, demand } from '../answers.ts'
import type { App, Parts } from '../parts.ts'
import { Refusal } from '../problem.ts'

const status = createRoute({
  method: 'get',
  path: '/v1/agent',
  responses: answers(200, AgentStatus, 'this agent and what it depends on'),
})
const adoption = createRoute({
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
  responses: answers(
    200,
    z.object({ adopted: z.literal(true) }),
    'the state in the database is this environment’s from now on',
  ),
})

export function agentRoutes(app: App, parts: Parts): void {
  const { config } = parts
  app.openapi(status, async (c) => {
    const caller = c.get('caller')
    return c.json(
      {
        agent: config.agent,
        version: parts.version,
        contract: CONTRACT_VERSION,
        environment: config.environment,
        production: config.production,
        rollouts: parts.rollouts.map((rollout) => rollout.name),
        dependencies: await parts.health(),
        foreignState: parts.foreignState(),
        signingKey: config.signingKey?.publicKey ?? null,
        you: { name: caller.name, level: caller.level, mayAct: caller.mayAct, why: caller.why },
      },
      200,
    )
  })
  app.openapi(adoption, async (c) => {
    const caller = c.get('caller')
    demand(parts, caller, 'adopt')
    const { environment, reason } = c.req.valid('json')
    if (environment !== config.environment) {
      throw new Refusal('wrong-environment', `This agent serves ${config.environment}, not ${environment}.`)
    }
    await parts.adopt(actorOf(caller).name)
    parts.log({ level: 'warning', message: 'the state in the database was adopted', by: caller.name, reason })
    return c.json({ adopted: true as const }, 200)
  })
}
