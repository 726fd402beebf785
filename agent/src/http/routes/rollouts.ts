import { createRoute, z } from '@hono/zod-openapi'
import { OperationEvent, RolloutDetail, RolloutSummary, Validation } from '../../contract/index.ts'
import { readEvents, toEvent } from '../../operation/events.ts'
import { detailOf } from '../../operation/readings.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import { readValidation, validationById } from '../../validation/store.ts'
import { withoutContacts } from '../../rollout/withoutContacts.ts'
import { alarmDetail } from '../alarm.ts'
import { answers, rolloutNamed, rolloutPath } from '../answers.ts'
import { reaches, type Caller } from '../caller.ts'
import type { App, Parts } from '../parts.ts'
import { Refusal } from '../problem.ts'
import { mayDo } from '../rights.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/rollouts',
  responses: answers(200, z.object({ rollouts: z.array(RolloutSummary) }), 'every rollout'),
})
const one = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}',
  request: { params: rolloutPath },
  responses: answers(200, RolloutDetail, 'one rollout'),
})
const events = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/events',
  request: {
    params: rolloutPath,
    query: z.object({
      since: z.iso.datetime({ offset: true }).optional(),
      after: z.coerce.number().int().nonnegative().optional(),
    }),
  },
  responses: answers(200, z.object({ events: z.array(OperationEvent) }), 'at most 500 events, the oldest first'),
})
const latest = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/validations/latest',
  request: { params: rolloutPath },
  responses: answers(200, Validation, 'the last validation that ended'),
})
const byId = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/validations/{id}',
  request: { params: rolloutPath.extend({ id: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER) }) },
  responses: answers(200, Validation, 'a validation that ended'),
})

export function rolloutRoutes(app: App, parts: Parts): void {
  const { state } = parts.database
  app.openapi(list, async (c) => {
    const details = await Promise.all(parts.rollouts.map((rollout) => read(parts, rollout, c.get('caller'))))
    return c.json({ rollouts: details.map((detail) => RolloutSummary.parse(detail)) }, 200)
  })
  app.openapi(one, async (c) =>
    c.json(await read(parts, rolloutNamed(parts, c.req.valid('param').rollout), c.get('caller')), 200),
  )
  app.openapi(events, async (c) => {
    const { since, after } = c.req.valid('query')
    const rollout = rolloutNamed(parts, c.req.valid('param').rollout)
    const rows = await readEvents(state, {
      rollout: rollout.name,
      ...(since === undefined ? {} : { since: new Date(since) }),
      ...(after === undefined ? {} : { after: BigInt(after) }),
    })
    return c.json({ events: rows.map(toEvent) }, 200)
  })
  app.openapi(latest, async (c) => {
    const rollout = rolloutNamed(parts, c.req.valid('param').rollout)
    const found = await readValidation(state, rollout.name)
    if (found === null) throw new Refusal('not-found', 'No validation has ended yet: run one (sti validate).')
    return c.json(found, 200)
  })
  app.openapi(byId, async (c) => {
    const { rollout, id } = c.req.valid('param')
    const found = await validationById(state, rolloutNamed(parts, rollout).name, id)
    if (found === null) throw new Refusal('not-found', `No validation ${id} of ${rollout} has ended.`)
    return c.json(found, 200)
  })
}

/** The detail, with what this caller may not do refused as well. */
async function read(parts: Parts, rollout: Rollout, caller: Caller): Promise<RolloutDetail> {
  const [detail, alarm] = await Promise.all([
    parts.facts(rollout).then((facts) => detailOf(parts.database.state, facts, parts.config.environment, parts.kinds)),
    alarmDetail(parts, rollout),
  ])
  return {
    ...detail,
    ...alarm,
    file: caller.mayAct && reaches(caller.level, 'editor') ? detail.file : withoutContacts(detail.file),
    actions: detail.actions.map((action) => {
      const refusal = mayDo(caller, action.action, parts.config)
      return refusal === null ? action : { ...action, allowed: false, reasons: [refusal, ...action.reasons] }
    }),
  }
}
