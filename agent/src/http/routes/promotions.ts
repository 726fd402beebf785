import { createRoute, z } from '@hono/zod-openapi'
import { Promotion, PromotionGate, PromotionRequest } from '../../contract/index.ts'
import { promotionGate, readPromotions } from '../../evidence/promotion.ts'
import { forcePromotion, promote } from '../../evidence/promote.ts'
import { actorOf, answers, demand, rolloutNamed, rolloutPath } from '../answers.ts'
import { demandEnvironment } from '../asked.ts'
import type { App, Parts } from '../parts.ts'
import { Refusal } from '../problem.ts'

const Promotions = z.object({ gate: PromotionGate.nullable(), promotions: z.array(Promotion) })

const list = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/promotions',
  request: { params: rolloutPath },
  responses: answers(200, Promotions, 'what the file wants of another environment, and what was handed in'),
})
const handIn = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/promotions',
  request: {
    params: rolloutPath,
    body: { content: { 'application/json': { schema: PromotionRequest } }, required: true },
  },
  responses: answers(200, Promotions, 'taken'),
})

export function promotionRoutes(app: App, parts: Parts): void {
  const { config } = parts
  const of = { state: parts.database.state, environment: config.environment, trustedKeys: config.trustedKeys }
  app.openapi(list, async (c) => {
    const rollout = rolloutNamed(parts, c.req.valid('param').rollout)
    return c.json({ gate: await promotionGate(of, rollout), promotions: await readPromotions(of, rollout) }, 200)
  })
  app.openapi(handIn, async (c) => {
    const caller = c.get('caller')
    demand(parts, caller, 'promote')
    const rollout = rolloutNamed(parts, c.req.valid('param').rollout)
    const { environment, report, force, reason } = c.req.valid('json')
    demandEnvironment(parts, environment)
    if (force === (report !== undefined))
      throw new Refusal('invalid-body', 'Send a report, or force: true with a reason, and not both.')
    if (force) {
      demand(parts, caller, 'force')
      if (reason === undefined)
        throw new Refusal('invalid-body', 'Forcing needs a reason.', ['reason: say who answers for it, and why'])
      await forcePromotion(of, rollout, { actor: actorOf(caller), reason })
    } else {
      await promote(of, rollout, { report, actor: actorOf(caller), reason: reason ?? null })
    }
    return c.json({ gate: await promotionGate(of, rollout), promotions: await readPromotions(of, rollout) }, 200)
  })
}
