import { createRoute, z } from '@hono/zod-openapi'
import { ReportFormat, SignedReport } from '../../contract/index.ts'
import { renderReportHtml } from '../../evidence/html.ts'
import { renderReportMarkdown } from '../../evidence/markdown.ts'
import { readPromotions } from '../../evidence/promotionGate.ts'
import { gatherReport } from '../../evidence/gatherReport.ts'
import { signReport } from '../../signature/sign.ts'
import { toActor, openApiResponses, requireRollout, rolloutParams } from '../routeHelpers.ts'
import type { App, ApiDependencies } from '../dependencies.ts'

const getReportRoute = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/report',
  request: { params: rolloutParams, query: z.object({ format: ReportFormat.default('json') }) },
  responses: {
    ...openApiResponses(200, SignedReport, 'the evidence for the rollout, signed if the agent has a key'),
    200: {
      content: {
        'application/json': { schema: SignedReport },
        'text/markdown': { schema: z.string() },
        'text/html': { schema: z.string() },
      },
      description: 'the evidence for the rollout, signed if the agent has a key',
    },
  },
})

export function reportRoutes(app: App, deps: ApiDependencies): void {
  const { config, database, version, signals } = deps
  const { environment, production, agent, trustedKeys } = config
  const { state } = database
  app.openapi(getReportRoute, async (c) => {
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    const facts = await deps.facts(rollout)
    const report = await gatherReport(
      { state, environment, production, agent, version, signals },
      {
        facts,
        readiness: await deps.readiness(facts),
        by: toActor(c.get('caller')),
        promotions: await readPromotions({ state, environment, trustedKeys }, rollout),
      },
    )
    const signed = await signReport(report, config.signingKey)
    switch (c.req.valid('query').format) {
      case 'json':
        return c.json(signed, 200)
      case 'md':
        return c.body(renderReportMarkdown(signed), 200, { 'content-type': 'text/markdown; charset=utf-8' })
      case 'html':
        // The page must not load or run anything, wherever it is opened.
        return c.body(renderReportHtml(signed), 200, {
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
          'x-content-type-options': 'nosniff',
        })
    }
  })
}
