import { createRoute, z } from '@hono/zod-openapi'
import {
  Baseline,
  BaselineComparison,
  BaselineImport,
  BaselineSummary,
  type BaselineContent,
} from '../../contract/index.ts'
import { comparisonOf } from '../../measure/comparison.ts'
import { listBaselines, newestBaseline, readBaseline, sameBaseline, saveBaseline, useOf } from '../../measure/store.ts'
import { windowOf } from '../../measure/window.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import { actorOf, answers, demand, rolloutNamed, rolloutPath } from '../answers.ts'
import type { App, Parts } from '../parts.ts'
import { Refusal } from '../problem.ts'

const path = '/v1/rollouts/{rollout}/baselines'
const baselinePath = rolloutPath.extend({
  id: z
    .union([z.literal('newest'), z.coerce.number().int().positive()])
    .describe('a number, or newest: the newest that can be used'),
})

const list = createRoute({
  method: 'get',
  path,
  request: { params: rolloutPath },
  responses: answers(200, z.object({ baselines: z.array(BaselineSummary) }), 'the newest 50'),
})
const one = createRoute({
  method: 'get',
  path: `${path}/{id}`,
  request: { params: baselinePath },
  responses: answers(200, Baseline, 'one with all its values; `content` is what an import takes'),
})
const comparison = createRoute({
  method: 'get',
  path: `${path}/{id}/comparison`,
  request: { params: baselinePath },
  responses: answers(200, BaselineComparison, 'what is now beside it'),
})
const imported = createRoute({
  method: 'post',
  path,
  request: {
    params: rolloutPath,
    body: { content: { 'application/json': { schema: BaselineImport } }, required: true },
  },
  responses: answers(200, BaselineSummary, 'as it is kept; one that is kept already is answered as it is'),
})

export function baselineRoutes(app: App, parts: Parts): void {
  const { state } = parts.database
  const use = (rollout: Rollout) => useOf(rollout, parts.config.environment)

  app.openapi(list, async (c) => {
    const rollout = rolloutNamed(parts, c.req.valid('param').rollout)
    return c.json({ baselines: await listBaselines(state, use(rollout)) }, 200)
  })
  app.openapi(one, async (c) => {
    const { rollout, id } = c.req.valid('param')
    return c.json(await read(rolloutNamed(parts, rollout), id), 200)
  })
  app.openapi(comparison, async (c) => {
    const { rollout: name, id } = c.req.valid('param')
    const rollout = rolloutNamed(parts, name)
    const baseline = await read(rollout, id)
    const { from } = await windowOf(state, name, baseline.endedAt)
    const { signals, config } = parts
    return c.json(await comparisonOf({ signals, rollout, environment: config.environment, baseline, from }), 200)
  })
  app.openapi(imported, async (c) => {
    const caller = c.get('caller')
    const rollout = rolloutNamed(parts, c.req.valid('param').rollout)
    const { content: asSent, reason = null, oneRunOnly } = c.req.valid('json')
    const content = { ...asSent, ...instantsOf(asSent) }
    demandSense(rollout, content)
    const same = await sameBaseline(state, rollout.name, content)
    // A file that this agent measured itself loosens nothing: whoever may validate may compare with it.
    demand(parts, caller, oneRunOnly && same !== null ? 'validation' : 'import-baseline')
    const kept = { rollout: rollout.name, operationId: null, source: 'import', oneRunOnly, content } as const
    const id = same ?? (await saveBaseline(state, { ...kept, createdBy: actorOf(caller) }, reason))
    const { content: _, ...summary } = await read(rollout, id)
    return c.json(summary, 200)
  })

  async function read(rollout: Rollout, wanted: number | 'newest'): Promise<Baseline> {
    const id = wanted === 'newest' ? (await newestBaseline(state, use(rollout)))?.id : wanted
    const found = id === undefined ? null : await readBaseline(state, use(rollout), id)
    if (found !== null) return found
    throw new Refusal(
      'not-found',
      wanted === 'newest'
        ? `There is no baseline of ${rollout.name} yet: take one (sti baseline).`
        : `There is no baseline ${wanted} of ${rollout.name}.`,
    )
  }
}

/** The same instants, written the same. */
function instantsOf({ startedAt, endedAt }: BaselineContent): Pick<BaselineContent, 'startedAt' | 'endedAt'> {
  return { startedAt: new Date(startedAt).toISOString(), endedAt: new Date(endedAt).toISOString() }
}

/** @throws Refusal */
function demandSense(rollout: Rollout, { rollout: name, startedAt, endedAt, signals, queries }: BaselineContent): void {
  if (name !== rollout.name) {
    throw new Refusal('refused', `This baseline is of rollout ${name}, not of ${rollout.name}: nothing was kept.`)
  }
  const twice = (names: readonly string[]): boolean => new Set(names).size < names.length
  const reasons = [
    ...(startedAt < endedAt ? [] : ['content.endedAt: must be after startedAt']),
    ...(Date.parse(endedAt) > Date.now() + 60_000 ? ['content.endedAt: lies in the future'] : []),
    ...(twice(signals.map(({ signal }) => signal)) ? ['content.signals: a signal is there twice'] : []),
    ...(twice(queries.map(({ query }) => query)) ? ['content.queries: a query is there twice'] : []),
  ]
  if (reasons.length > 0) throw new Refusal('invalid-body', 'This is not a baseline as an agent exports it.', reasons)
}
