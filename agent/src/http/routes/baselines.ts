import { createRoute, z } from '@hono/zod-openapi'
import {
  Baseline,
  BaselineComparison,
  BaselineImport,
  BaselineSummary,
  type BaselineContent,
} from '../../contract/index.ts'
import { compareWithBaseline } from '../../measure/compareWithBaseline.ts'
import {
  listBaselines,
  readNewestBaseline,
  readBaseline,
  findSameBaseline,
  saveBaseline,
  createBaselineContext,
} from '../../measure/baselineStore.ts'
import { readComparisonWindow } from '../../measure/comparisonWindow.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import { toActor, openApiResponses, requireRight, requireRollout, rolloutParams } from '../routeHelpers.ts'
import type { App, ApiDependencies } from '../dependencies.ts'
import { Refusal } from '../problem.ts'

const baselinesPath = '/v1/rollouts/{rollout}/baselines'
const baselineParams = rolloutParams.extend({
  id: z
    .union([z.literal('newest'), z.coerce.number().int().positive()])
    .describe('a number, or newest: the newest that can be used'),
})

const listBaselinesRoute = createRoute({
  method: 'get',
  path: baselinesPath,
  request: { params: rolloutParams },
  responses: openApiResponses(200, z.object({ baselines: z.array(BaselineSummary) }), 'the newest 50'),
})
const getBaselineRoute = createRoute({
  method: 'get',
  path: `${baselinesPath}/{id}`,
  request: { params: baselineParams },
  responses: openApiResponses(200, Baseline, 'one with all its values; `content` is what an import takes'),
})
const compareBaselineRoute = createRoute({
  method: 'get',
  path: `${baselinesPath}/{id}/comparison`,
  request: { params: baselineParams },
  responses: openApiResponses(200, BaselineComparison, 'what is now beside it'),
})
const importBaselineRoute = createRoute({
  method: 'post',
  path: baselinesPath,
  request: {
    params: rolloutParams,
    body: { content: { 'application/json': { schema: BaselineImport } }, required: true },
  },
  responses: openApiResponses(200, BaselineSummary, 'as it is kept; one that is kept already is answered as it is'),
})

export function baselineRoutes(app: App, deps: ApiDependencies): void {
  const { state } = deps.database
  const baselineUse = (rollout: Rollout) => createBaselineContext(rollout, deps.config.environment)

  app.openapi(listBaselinesRoute, async (c) => {
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    return c.json({ baselines: await listBaselines(state, baselineUse(rollout)) }, 200)
  })
  app.openapi(getBaselineRoute, async (c) => {
    const { rollout, id } = c.req.valid('param')
    return c.json(await requireBaseline(requireRollout(deps, rollout), id), 200)
  })
  app.openapi(compareBaselineRoute, async (c) => {
    const { rollout: name, id } = c.req.valid('param')
    const rollout = requireRollout(deps, name)
    const baseline = await requireBaseline(rollout, id)
    const { from } = await readComparisonWindow(state, name, baseline.endedAt)
    const { signals, config } = deps
    return c.json(await compareWithBaseline({ signals, rollout, environment: config.environment, baseline, from }), 200)
  })
  app.openapi(importBaselineRoute, async (c) => {
    const caller = c.get('caller')
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    const { content: sentContent, reason = null, oneRunOnly } = c.req.valid('json')
    const content = { ...sentContent, ...normalizeInstants(sentContent) }
    requireConsistentBaseline(rollout, content)
    const existingId = await findSameBaseline(state, rollout.name, content)
    // A file that this agent measured itself loosens nothing: whoever may validate may compare with it.
    requireRight(deps, caller, oneRunOnly && existingId !== null ? 'validation' : 'import-baseline')
    const record = { rollout: rollout.name, operationId: null, source: 'import', oneRunOnly, content } as const
    const id = existingId ?? (await saveBaseline(state, { ...record, createdBy: toActor(caller) }, reason))
    const { content: _, ...summary } = await requireBaseline(rollout, id)
    return c.json(summary, 200)
  })

  async function requireBaseline(rollout: Rollout, idOrNewest: number | 'newest'): Promise<Baseline> {
    const id = idOrNewest === 'newest' ? (await readNewestBaseline(state, baselineUse(rollout)))?.id : idOrNewest
    const existing = id === undefined ? null : await readBaseline(state, baselineUse(rollout), id)
    if (existing !== null) return existing
    throw new Refusal(
      'not-found',
      idOrNewest === 'newest'
        ? `There is no baseline of ${rollout.name} yet: take one (sti baseline).`
        : `There is no baseline ${idOrNewest} of ${rollout.name}.`,
    )
  }
}

/** The same instants, written the same. */
function normalizeInstants({ startedAt, endedAt }: BaselineContent): Pick<BaselineContent, 'startedAt' | 'endedAt'> {
  return { startedAt: new Date(startedAt).toISOString(), endedAt: new Date(endedAt).toISOString() }
}

/** @throws Refusal */
function requireConsistentBaseline(
  rollout: Rollout,
  { rollout: name, startedAt, endedAt, signals, queries }: BaselineContent,
): void {
  if (name !== rollout.name) {
    throw new Refusal('refused', `This baseline is of rollout ${name}, not of ${rollout.name}: nothing was kept.`)
  }
  const hasDuplicates = (names: readonly string[]): boolean => new Set(names).size < names.length
  const reasons = [
    ...(startedAt < endedAt ? [] : ['content.endedAt: must be after startedAt']),
    ...(Date.parse(endedAt) > Date.now() + 60_000 ? ['content.endedAt: lies in the future'] : []),
    ...(hasDuplicates(signals.map(({ signal }) => signal)) ? ['content.signals: a signal is there twice'] : []),
    ...(hasDuplicates(queries.map(({ query }) => query)) ? ['content.queries: a query is there twice'] : []),
  ]
  if (reasons.length > 0) throw new Refusal('invalid-body', 'This is not a baseline as an agent exports it.', reasons)
}
