import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { OperationEvent, RolloutDetail, RolloutSummary, Validation } from '../../contract/index.ts'
import { readEvents, toOperationEvent } from '../../operation/events.ts'
import { readRolloutDetail } from '../../operation/rolloutDetail.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import { readLatestValidation, readValidationById } from '../../validation/store.ts'
import { redactContacts } from '../../rollout/redactContacts.ts'
import type { AuthenticationEnv } from '../authentication.ts'
import { readIncidentDetail } from '../automaticRollbackView.ts'
import { idParam, openApiResponses, refuseWithoutRight, requireRollout, rolloutParams } from '../routeHelpers.ts'
import { isAtLeast, type Caller } from '../../rights/caller.ts'
import type { App, ApiDependencies } from '../dependencies.ts'
import { Refusal } from '../problem.ts'
import { acceptedAgeSeconds, type RecentReadings } from '../recentReadings.ts'
import { readVitalSigns } from '../vitalSigns.ts'

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

/** `recent`: readings of rollouts, forgotten after each change. */
export function rolloutRoutes(app: App, deps: ApiDependencies, recent: RecentReadings<StoredDetail>): void {
  const { state } = deps.database
  const filesWithoutContacts = new Map(deps.rollouts.map(({ name, text }) => [name, redactContacts(text)]))
  const readFor = async (c: Context<AuthenticationEnv>, rollout: Rollout): Promise<RolloutDetail> => {
    const caller = c.get('caller')
    const detail = await readStoredDetail(deps, recent, rollout, c.req.header('cache-control'))
    const readsContacts = caller.mayAct && isAtLeast(caller.level, 'editor')
    const file = readsContacts ? detail.file : filesWithoutContacts.get(rollout.name)!
    return presentDetail(deps, rollout, caller, { ...detail, file })
  }
  app.openapi(listRolloutsRoute, async (c) => {
    const details = await Promise.all(deps.rollouts.map((rollout) => readFor(c, rollout)))
    return c.json({ rollouts: details.map((detail) => RolloutSummary.parse(detail)) }, 200)
  })
  app.openapi(getRolloutRoute, async (c) =>
    c.json(await readFor(c, requireRollout(deps, c.req.valid('param').rollout)), 200),
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

/** What is read of a rollout for every caller. */
export type StoredDetail = Awaited<ReturnType<typeof readRolloutDetail>> &
  Awaited<ReturnType<typeof readIncidentDetail>>

/** Reads a rollout, or takes a reading that is as new as the request wants it. Many open pages cost about as much as one. */
function readStoredDetail(
  deps: ApiDependencies,
  recent: RecentReadings<StoredDetail>,
  rollout: Rollout,
  cacheControl: string | undefined,
): Promise<StoredDetail> {
  return recent.read(rollout.name, acceptedAgeSeconds(cacheControl), async () => {
    const [detail, incidentDetail] = await Promise.all([
      deps
        .facts(rollout)
        .then((facts) => readRolloutDetail(deps.database.state, facts, deps.config.environment, deps.kinds)),
      readIncidentDetail(deps, rollout),
    ])
    return { ...detail, ...incidentDetail }
  })
}

/** The detail with the readings in memory as of now, and with the actions refused that this caller has no right to. */
function presentDetail(deps: ApiDependencies, rollout: Rollout, caller: Caller, detail: StoredDetail): RolloutDetail {
  return {
    ...detail,
    vitals: readVitalSigns(rollout, detail, deps.signals),
    comparison: deps.comparison(rollout.name),
    actions: refuseWithoutRight(deps, caller, detail.actions),
  }
}
