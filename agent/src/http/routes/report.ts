import { createRoute, z } from '@hono/zod-openapi'
import { ReportFormat, SignedReport } from '../../contract/index.ts'
import { readReportInput } from '../../evidence/readReportInput.ts'
import { toActor, openApiResponses, requireRollout, rolloutParams } from '../routeHelpers.ts'
import type { App, ApiDependencies } from '../dependencies.ts'

const DESCRIPTION = 'the evidence for the rollout, signed if the agent has a key'

const getReportRoute = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/report',
  request: { params: rolloutParams, query: z.object({ format: ReportFormat.default('json') }) },
  responses: {
    ...openApiResponses(200, SignedReport, DESCRIPTION),
    200: {
      content: {
        'application/json': { schema: SignedReport },
        'text/markdown': { schema: z.string() },
        'text/html': { schema: z.string() },
      },
      description: DESCRIPTION,
    },
  },
})

const HEADERS: Readonly<Record<ReportFormat, Readonly<Record<string, string>>>> = {
  json: { 'content-type': 'application/json' },
  md: { 'content-type': 'text/markdown; charset=utf-8' },
  // The page must not load or run anything, wherever it is opened.
  html: {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    'x-content-type-options': 'nosniff',
  },
}

export function reportRoutes(app: App, deps: ApiDependencies): void {
  const { environment, production, agent, trustedKeys } = deps.config
  const source = {
    state: deps.database.state,
    environment,
    production,
    agent: { name: agent, version: deps.version },
    trustedKeys,
    signals: deps.signals,
  }
  app.openapi(getReportRoute, async (c) => {
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    const by = toActor(c.get('caller'))
    const { format } = c.req.valid('query')
    const readInput = async () => {
      const facts = await deps.facts(rollout)
      return await readReportInput(source, facts, { readiness: await deps.readiness(facts), by })
    }
    const body = await deps.reports.build(readInput, format, c.req.raw.signal)
    return c.body(body, 200, HEADERS[format])
  })
}
