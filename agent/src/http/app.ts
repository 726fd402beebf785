import { OpenAPIHono } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import type { AuthenticationEnv } from './authentication.ts'
import { ofrepRoutes } from './ofrep.ts'
import type { App, Parts } from './parts.ts'
import { refuseAmbiguousPaths } from './paths.ts'
import { defaultHook, problemAnswers } from './problem.ts'
import { agentRoutes } from './routes/agent.ts'
import { automaticRollbackRoutes } from './routes/automaticRollback.ts'
import { baselineRoutes } from './routes/baselines.ts'
import { drillRoutes } from './routes/drill.ts'
import { columnDropRoutes } from './routes/columnDrop.ts'
import { failedRowRoutes } from './routes/failedRows.ts'
import { flagClientRoutes } from './routes/flagClients.ts'
import { healthRoutes } from './routes/health.ts'
import { incidentRoutes } from './routes/incidents.ts'
import { operationRoutes } from './routes/operations.ts'
import { promotionRoutes } from './routes/promotions.ts'
import { readinessRoutes } from './routes/readiness.ts'
import { reportRoutes } from './routes/report.ts'
import { rolloutRoutes } from './routes/rollouts.ts'
import { steeringRoutes } from './routes/steering.ts'
import { webhookRoutes } from './routes/webhooks.ts'

const LARGEST_BODY = 256 * 1024
/** Of a webhook: some thousand alerts. */
const LARGEST_WEBHOOK = 4 * 1024 * 1024
/** Of a report that is handed in. */
const LARGEST_REPORT = 8 * 1024 * 1024

/** The whole HTTP API. It does not listen. */
export function buildApp(parts: Parts): App {
  const app: App = new OpenAPIHono<AuthenticationEnv>({ defaultHook: defaultHook as never })
  const { onError, notFound } = problemAnswers(parts.log)
  app.onError(onError)
  app.notFound(notFound)
  app.use(refuseAmbiguousPaths)
  app.use(parts.authentication.middleware)
  const small = bodyLimit({ maxSize: LARGEST_BODY })
  const large = bodyLimit({ maxSize: LARGEST_REPORT })
  const alerts = bodyLimit({ maxSize: LARGEST_WEBHOOK })
  app.use(async (c, next) => {
    const { path } = c.req
    const limit = path.startsWith('/v1/webhooks/')
      ? alerts
      : /^\/v1\/rollouts\/[^/]+\/promotions$/.test(path)
        ? large
        : small
    return await limit(c, next)
  })
  app.use('/v1/*', async (c, next) => {
    // Turning the flag off needs no database, an alert neither, and what the agent is can be asked without one.
    const needless =
      /^\/v1\/(agent|webhooks)/.test(c.req.path) || (c.req.method === 'POST' && c.req.path.endsWith('/operations'))
    if (!needless) parts.demandDatabase()
    await next()
  })
  healthRoutes(app, parts)
  agentRoutes(app, parts)
  rolloutRoutes(app, parts)
  baselineRoutes(app, parts)
  operationRoutes(app, parts)
  steeringRoutes(app, parts)
  failedRowRoutes(app, parts)
  flagClientRoutes(app, parts)
  reportRoutes(app, parts)
  promotionRoutes(app, parts)
  readinessRoutes(app, parts)
  incidentRoutes(app, parts)
  automaticRollbackRoutes(app, parts)
  drillRoutes(app, parts)
  webhookRoutes(app, parts)
  columnDropRoutes(app, parts)
  app.route('/', ofrepRoutes(parts.flags))
  app.doc31('/v1/openapi.json', { openapi: '3.1.0', info: { title: 'STI Rollout agent', version: parts.version } })
  return app
}
