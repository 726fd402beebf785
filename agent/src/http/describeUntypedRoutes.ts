import { z } from '@hono/zod-openapi'
import type { App } from './dependencies.ts'
import { PROBLEM_RESPONSES } from './routeHelpers.ts'

const OfrepEvaluation = z
  .object({
    key: z.string(),
    value: z.boolean(),
    reason: z.string(),
    variant: z.string(),
    metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  })
  .openapi('OfrepEvaluation')
const OfrepFailure = z
  .object({ key: z.string().optional(), errorCode: z.string(), errorDetails: z.string() })
  .openapi('OfrepFailure')
const OfrepRequest = z.object({ context: z.record(z.string(), z.unknown()).optional() }).openapi('OfrepRequest')

/**
 * Adds to the OpenAPI document what its own schemas do not validate: the flag's protocol, whose bodies OpenFeature
 * defines, and the endpoints of orchestrators and Prometheus.
 */
export function describeUntypedRoutes(app: App): void {
  const json = <S extends z.ZodType>(schema: S, description: string) => ({
    content: { 'application/json': { schema } },
    description,
  })
  const {
    400: badRequest,
    403: forbidden,
    404: notFound,
    413: tooLarge,
    422: invalidBody,
    431: headersTooLarge,
  } = PROBLEM_RESPONSES
  const failure = (problem: (typeof PROBLEM_RESPONSES)[400]) => ({
    content: Object.assign({ 'application/json': { schema: OfrepFailure } }, problem.content),
    description: problem.description,
  })
  const request = { body: { content: { 'application/json': { schema: OfrepRequest } } } }
  const ofrepProblems = {
    400: failure(badRequest),
    403: forbidden,
    404: failure(notFound),
    413: failure(tooLarge),
    422: failure(invalidBody),
    431: headersTooLarge,
  }
  app.openAPIRegistry.registerPath({
    method: 'post',
    path: '/ofrep/v1/evaluate/flags/{key}',
    request: { params: z.object({ key: z.string() }), body: request.body },
    responses: Object.assign({ 200: json(OfrepEvaluation, 'the value of the flag') }, ofrepProblems),
  })
  app.openAPIRegistry.registerPath({
    method: 'post',
    path: '/ofrep/v1/evaluate/flags',
    request,
    responses: Object.assign(
      {
        200: json(z.object({ flags: z.array(z.union([OfrepEvaluation, OfrepFailure])) }), 'the value of every flag'),
        304: { description: 'nothing has changed since the ETag of If-None-Match' },
      },
      ofrepProblems,
    ),
  })
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/livez',
    responses: {
      200: json(z.object({ alive: z.boolean() }), 'the process runs'),
      400: badRequest,
      431: headersTooLarge,
    },
  })
  const Ready = z.object({ ready: z.boolean(), reasons: z.array(z.string()), warnings: z.array(z.string()) })
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/readyz',
    responses: {
      200: json(Ready, 'the agent claims operations'),
      400: badRequest,
      431: headersTooLarge,
      503: json(Ready, 'the agent claims no operations, for these reasons'),
    },
  })
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/metrics',
    responses: {
      200: { content: { 'text/plain': { schema: z.string() } }, description: 'metrics for Prometheus' },
      400: badRequest,
      403: forbidden,
      431: headersTooLarge,
    },
  })
}
