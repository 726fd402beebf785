import { createRoute, z } from '@hono/zod-openapi'
import { ReportFormat, SignedReport } from '../../contract/index.ts'
import { reportAsHtml } from '../../evidence/html.ts'
import { reportAsMarkdown } from '../../evidence/markdown.ts'
import { readPromotions } from '../../evidence/promotion.ts'
import { gatherReport } from '../../evidence/report.ts'
import { signReport } from '../../signature/sign.ts'
import { actorOf, answers, rolloutNamed, rolloutPath } from '../answers.ts'
import type { App, Parts } from '../parts.ts'

const evidence = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/report',
  request: { params: rolloutPath, query: z.object({ format: ReportFormat.default('json') }) },
  responses: {
    ...answers(200, SignedReport, 'all that is claimed of the rollout, signed when the agent has a key'),
    200: {
      content: {
        'application/json': { schema: SignedReport },
        'text/markdown': { schema: z.string() },
        'text/html': { schema: z.string() },
      },
      description: 'all that is claimed of the rollout, signed when the agent has a key',
    },
  },
})

export function reportRoutes(app: App, parts: Parts): void {
  const { config, database, version, signals } = parts
  const { environment, production, agent, trustedKeys } = config
  const { state } = database
  app.openapi(evidence, async (c) => {
    const rollout = rolloutNamed(parts, c.req.valid('param').rollout)
    const facts = await parts.facts(rollout)
    const report = await gatherReport(
      { state, environment, production, agent, version, signals },
      {
        facts,
        readiness: await parts.readiness(facts),
        by: actorOf(c.get('caller')),
        promotions: await readPromotions({ state, environment, trustedKeys }, rollout),
      },
    )
    const signed = await signReport(report, config.signingKey)
    switch (c.req.valid('query').format) {
      case 'json':
        return c.json(signed, 200)
      case 'md':
        return c.body(reportAsMarkdown(signed), 200, { 'content-type': 'text/markdown; charset=utf-8' })
      case 'html':
        // Nothing of it may load or run anything, wherever it is opened from.
        return c.body(reportAsHtml(signed), 200, {
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
          'x-content-type-options': 'nosniff',
        })
    }
  })
}
