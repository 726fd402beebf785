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
import { idParam, toActor, openApiResponses, requireRight, requireRollout, rolloutParams } from '../routeHelpers.ts'
import type { App, ApiDependencies } from '../dependencies.ts'
import { Refusal } from '../problem.ts'

const baselinesPath = '/v1/rollouts/{rollout}/baselines'
const baselineParams = rolloutParams.extend({
  id: z.union([z.literal('newest'), idParam]).describe('id, or newest: the newest usable baseline'),
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
  responses: openApiResponses(200, Baseline, 'one baseline with all values; an import accepts its `content`'),
})
const compareBaselineRoute = createRoute({
  method: 'get',
  path: `${baselinesPath}/{id}/comparison`,
  request: { params: baselineParams },
  responses: openApiResponses(200, BaselineComparison, 'the baseline compared with the current values'),
})
const importBaselineRoute = createRoute({
  method: 'post',
  path: baselinesPath,
  request: {
    params: rolloutParams,
    body: { content: { 'application/json': { schema: BaselineImport } }, required: true },
  },
  responses: openApiResponses(200, BaselineSummary, 'the stored baseline, or the existing one with the same content'),
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
    // A baseline that this agent measured does not loosen any check, so the right to validate is enough to compare
    // with it.
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
        ? `${rollout.name} has no baseline yet: take one (sti baseline).`
        : `${rollout.name} has no baseline ${idOrNewest}.`,
    )
  }
}

/** Instants in one notation, so that equal contents have equal digests. */
function normalizeInstants({ startedAt, endedAt }: BaselineContent): Pick<BaselineContent, 'startedAt' | 'endedAt'> {
  return { startedAt: new Date(startedAt).toISOString(), endedAt: new Date(endedAt).toISOString() }
}

/** @throws Refusal */
function requireConsistentBaseline(
  rollout: Rollout,
  { rollout: name, startedAt, endedAt, signals, queries }: BaselineContent,
): void {
  if (name !== rollout.name) {
    throw new Refusal(
      'refused',
      `This baseline belongs to the rollout ${name}, not to ${rollout.name}. Nothing was imported.`,
    )
  }
  const hasDuplicates = (names: readonly string[]): boolean => new Set(names).size < names.length
  const reasons = [
    ...(startedAt < endedAt ? [] : ['content.endedAt: must be after startedAt']),
    ...(Date.parse(endedAt) > Date.now() + 60_000 ? ['content.endedAt: must not be in the future'] : []),
    ...(hasDuplicates(signals.map(({ signal }) => signal)) ? ['content.signals: contains a signal twice'] : []),
    ...(hasDuplicates(queries.map(({ query }) => query)) ? ['content.queries: contains a query twice'] : []),
  ]
  if (reasons.length > 0) throw new Refusal('invalid-body', 'This is not a baseline exported by an agent.', reasons)
}
