import { createRoute, z } from '@hono/zod-openapi'
import { nullable } from '../../contract/nullable.ts'
import { Promotion, PromotionGate, PromotionRequest } from '../../contract/index.ts'
import { readPromotionGate, readPromotions } from '../../evidence/promotionGate.ts'
import { forcePromotion, acceptPromotion } from '../../evidence/acceptPromotion.ts'
import { parseReport } from '../../signature/verify.ts'
import { toActor, openApiResponses, requireRight, requireRollout, rolloutParams } from '../routeHelpers.ts'
import { requireEnvironment } from '../requestRights.ts'
import type { App, ApiDependencies } from '../dependencies.ts'
import { Refusal } from '../problem.ts'

const PromotionListing = z.object({ gate: nullable(PromotionGate), promotions: z.array(Promotion) })

const listPromotionsRoute = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/promotions',
  request: { params: rolloutParams },
  responses: openApiResponses(200, PromotionListing, 'the required promotion, and the submitted reports'),
})
const submitReportRoute = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/promotions',
  request: {
    params: rolloutParams,
    body: { content: { 'application/json': { schema: PromotionRequest } }, required: true },
  },
  responses: openApiResponses(200, PromotionListing, 'accepted'),
})

export function promotionRoutes(app: App, deps: ApiDependencies): void {
  const { config } = deps
  const promotionContext = {
    state: deps.database.state,
    environment: config.environment,
    trustedKeys: config.trustedKeys,
  }
  app.openapi(listPromotionsRoute, async (c) => {
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    return c.json(
      {
        gate: await readPromotionGate(promotionContext, rollout),
        promotions: await readPromotions(promotionContext, rollout),
      },
      200,
    )
  })
  app.openapi(submitReportRoute, async (c) => {
    const caller = c.get('caller')
    requireRight(deps, caller, 'promote')
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    const { environment, report, force, reason } = c.req.valid('json')
    requireEnvironment(deps, environment)
    // The body once more, as it was sent: the parsed one shows the last of two members of one name.
    if (report !== undefined) parseReport(await c.req.text())
    if (force === (report !== undefined))
      throw new Refusal('invalid-body', 'Send either a report, or force: true with a reason.')
    if (force) {
      requireRight(deps, caller, 'force')
      if (reason === undefined)
        throw new Refusal('invalid-body', 'A forced promotion requires a reason.', [
          'reason: say who is responsible, and why',
        ])
      await forcePromotion(promotionContext, rollout, { actor: toActor(caller), reason })
    } else {
      await acceptPromotion(promotionContext, rollout, { report, actor: toActor(caller), reason: reason ?? null })
    }
    return c.json(
      {
        gate: await readPromotionGate(promotionContext, rollout),
        promotions: await readPromotions(promotionContext, rollout),
      },
      200,
    )
  })
}
