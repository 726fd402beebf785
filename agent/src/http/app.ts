import { OpenAPIHono } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import type { AuthenticationEnv } from './authentication.ts'
import { ofrepRoutes } from './ofrep.ts'
import type { App, ApiDependencies } from './dependencies.ts'
import { closeAfterUnreadBody } from './closeAfterUnreadBody.ts'
import { createWebhookVerifier, requireWebhookSignature } from './webhookVerifier.ts'
import { describeUntypedRoutes } from './describeUntypedRoutes.ts'
import { limitJsonNesting } from './limitJsonNesting.ts'
import { rejectAmbiguousPaths } from './rejectAmbiguousPaths.ts'
import { createRecentReadings } from './recentReadings.ts'
import { defaultHook, createProblemHandlers } from './problem.ts'
import { acceptanceRoutes } from './routes/acceptances.ts'
import { rejectUnstorableText } from './rejectUnstorableText.ts'
import { agentRoutes } from './routes/agent.ts'
import { automaticRollbackRoutes } from './routes/automaticRollback.ts'
import { baselineRoutes } from './routes/baselines.ts'
import { drillRoutes } from './routes/drill.ts'
import { columnDropRoutes } from './routes/columnDrop.ts'
import { failedRowRoutes } from './routes/failedRows.ts'
import { fileRoutes } from './routes/files.ts'
import { flagClientRoutes } from './routes/flagClients.ts'
import { healthRoutes } from './routes/health.ts'
import { incidentRoutes } from './routes/incidents.ts'
import { groupRoutes } from './routes/groups.ts'
import { operationRoutes } from './routes/operations.ts'
import { promotionRoutes } from './routes/promotions.ts'
import { readinessRoutes } from './routes/readiness.ts'
import { reportRoutes } from './routes/report.ts'
import { rolloutRoutes, type StoredDetail } from './routes/rollouts.ts'
import { operationControlRoutes } from './routes/operationControl.ts'
import { webhookRoutes } from './routes/webhooks.ts'

const MAX_BODY_BYTES = 256 * 1024
/** A webhook with several thousand alerts. */
const MAX_WEBHOOK_BYTES = 4 * 1024 * 1024
/** An uploaded report. */
const MAX_REPORT_BYTES = 8 * 1024 * 1024

/** The whole HTTP API. It does not listen. */
export function buildApp(deps: ApiDependencies): App {
  const app: App = new OpenAPIHono<AuthenticationEnv>({ defaultHook: defaultHook as never })
  const { onError, notFound } = createProblemHandlers(deps.log)
  app.onError(onError)
  app.notFound(notFound)
  app.use(closeAfterUnreadBody)
  app.use(rejectAmbiguousPaths)
  app.use(deps.authentication.middleware)
  const webhookVerifier = deps.config.webhookSecret === null ? null : createWebhookVerifier(deps.config.webhookSecret)
  app.use('/v1/webhooks/grafana', requireWebhookSignature(webhookVerifier))
  const defaultLimit = bodyLimit({ maxSize: MAX_BODY_BYTES })
  const reportLimit = bodyLimit({ maxSize: MAX_REPORT_BYTES })
  const webhookLimit = bodyLimit({ maxSize: MAX_WEBHOOK_BYTES })
  app.use(async (c, next) => {
    const { method, path } = c.req
    // These have no body, and looking for one takes a third of the time of an answer.
    if (method === 'GET' || method === 'HEAD') return await next()
    const limit = path.startsWith('/v1/webhooks/')
      ? webhookLimit
      : path === '/v1/files/report' || /^\/v1\/rollouts\/[^/]+\/promotions$/.test(path)
        ? reportLimit
        : defaultLimit
    return await limit(c, next)
  })
  app.use('/v1/*', limitJsonNesting)
  app.use(rejectUnstorableText)
  app.use('/v1/*', async (c, next) => {
    // Turning the flag off, receiving alerts, and the status of the agent work without the database.
    const worksWithoutDatabase =
      /^\/v1\/(agent|webhooks|files)/.test(c.req.path) ||
      (c.req.method === 'POST' && c.req.path.endsWith('/operations'))
    if (!worksWithoutDatabase) deps.requireDatabase()
    await next()
  })
  const recent = createRecentReadings<StoredDetail>()
  app.use('/v1/*', async (c, next) => {
    await next()
    if (c.req.method !== 'GET') recent.forget()
  })
  healthRoutes(app, deps)
  agentRoutes(app, deps)
  rolloutRoutes(app, deps, recent)
  baselineRoutes(app, deps)
  operationRoutes(app, deps)
  operationControlRoutes(app, deps)
  groupRoutes(app, deps)
  failedRowRoutes(app, deps)
  fileRoutes(app, deps)
  flagClientRoutes(app, deps)
  reportRoutes(app, deps)
  promotionRoutes(app, deps)
  readinessRoutes(app, deps)
  acceptanceRoutes(app, deps)
  incidentRoutes(app, deps)
  automaticRollbackRoutes(app, deps)
  drillRoutes(app, deps)
  webhookRoutes(app, deps, webhookVerifier)
  columnDropRoutes(app, deps)
  app.route('/', ofrepRoutes(deps.flags))
  describeUntypedRoutes(app)
  app.doc31('/v1/openapi.json', { openapi: '3.1.0', info: { title: 'STI Rollout agent', version: deps.version } })
  return app
}
