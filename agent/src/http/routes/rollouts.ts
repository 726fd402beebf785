import { createRoute, z } from '@hono/zod-openapi'
import { OperationEvent, RolloutDetail, RolloutSummary, Validation } from '../../contract/index.ts'
import { readEvents, toOperationEvent } from '../../operation/events.ts'
import { readRolloutDetail } from '../../operation/rolloutDetail.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import { readLatestValidation, readValidationById } from '../../validation/store.ts'
import { redactContacts } from '../../rollout/redactContacts.ts'
import { readIncidentDetail } from '../automaticRollbackView.ts'
import { idParam, openApiResponses, requireRollout, rolloutParams } from '../routeHelpers.ts'
import { isAtLeast, type Caller } from '../../rights/caller.ts'
import type { App, ApiDependencies } from '../dependencies.ts'
import { Refusal } from '../problem.ts'
import { readVitalSigns } from '../vitalSigns.ts'
import { rightRefusal } from '../../rights/rights.ts'

const listRolloutsRoute = createRoute({
  method: 'get',
  path: '/v1/rollouts',
  responses: openApiResponses(200, z.object({ rollouts: z.array(RolloutSummary) }), 'every rollout'),
})
const getRolloutRoute = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}',
  request: { params: rolloutParams },
  responses: openApiResponses(200, RolloutDetail, 'one rollout'),
})
const listEventsRoute = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/events',
  request: {
    params: rolloutParams,
    query: z.object({
      since: z.iso
        .datetime({ offset: true })
        .refine((text) => Date.parse(text) >= 0, 'must be 1970 or later')
        .optional(),
      after: z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER).optional(),
    }),
  },
  responses: openApiResponses(200, z.object({ events: z.array(OperationEvent) }), 'at most 500 events, oldest first'),
})
const getLatestValidationRoute = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/validations/latest',
  request: { params: rolloutParams },
  responses: openApiResponses(200, Validation, 'the last validation that ended'),
})
const getValidationRoute = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/validations/{id}',
  request: { params: rolloutParams.extend({ id: idParam }) },
  responses: openApiResponses(200, Validation, 'a validation that ended'),
})

export function rolloutRoutes(app: App, deps: ApiDependencies): void {
  const { state } = deps.database
  app.openapi(listRolloutsRoute, async (c) => {
    const details = await Promise.all(deps.rollouts.map((rollout) => readDetailFor(deps, rollout, c.get('caller'))))
    return c.json({ rollouts: details.map((detail) => RolloutSummary.parse(detail)) }, 200)
  })
  app.openapi(getRolloutRoute, async (c) =>
    c.json(await readDetailFor(deps, requireRollout(deps, c.req.valid('param').rollout), c.get('caller')), 200),
  )
  app.openapi(listEventsRoute, async (c) => {
    const { since, after } = c.req.valid('query')
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    const rows = await readEvents(state, {
      rollout: rollout.name,
      ...(since === undefined ? {} : { since: new Date(since) }),
      ...(after === undefined ? {} : { after: BigInt(after) }),
    })
    return c.json({ events: rows.map(toOperationEvent) }, 200)
  })
  app.openapi(getLatestValidationRoute, async (c) => {
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    const validation = await readLatestValidation(state, rollout.name)
    if (validation === null)
      throw new Refusal('not-found', 'No validation has ended yet: run a validation (sti validate).')
    return c.json(validation, 200)
  })
  app.openapi(getValidationRoute, async (c) => {
    const { rollout, id } = c.req.valid('param')
    const validation = await readValidationById(state, requireRollout(deps, rollout).name, id)
    if (validation === null) throw new Refusal('not-found', `${rollout} has no completed validation ${id}.`)
    return c.json(validation, 200)
  })
}

/** The detail of a rollout, with the actions refused that this caller has no right to. */
async function readDetailFor(deps: ApiDependencies, rollout: Rollout, caller: Caller): Promise<RolloutDetail> {
  const [detail, incidentDetail] = await Promise.all([
    deps
      .facts(rollout)
      .then((facts) => readRolloutDetail(deps.database.state, facts, deps.config.environment, deps.kinds)),
    readIncidentDetail(deps, rollout),
  ])
  return {
    ...detail,
    ...incidentDetail,
    vitals: readVitalSigns(rollout, detail, deps.signals),
    comparison: deps.comparison(rollout.name),
    file: caller.mayAct && isAtLeast(caller.level, 'editor') ? detail.file : redactContacts(detail.file),
    actions: detail.actions.map((action) => {
      const refusal = rightRefusal(caller, action.action, deps.config)
      return refusal === null ? action : { ...action, allowed: false, reasons: [refusal, ...action.reasons] }
    }),
  }
}
