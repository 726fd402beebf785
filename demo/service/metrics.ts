import type { MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import { Histogram, Registry } from 'prom-client'

const LATENCY_BUCKETS_SECONDS = [
  0.001, 0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5,
]

/** The variant of the flag that a request used; routes that do not evaluate the flag leave it out. */
export interface RequestVariables {
  Variables: { variant?: 'on' | 'off' }
}

export interface RequestMetrics {
  readonly registry: Registry
  readonly measure: MiddlewareHandler<RequestVariables>
}

/** Histogram of request durations by method, route, status and variant of the flag, in seconds. */
export function requestMetrics(): RequestMetrics {
  const registry = new Registry()
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Duration of HTTP requests',
    labelNames: ['method', 'route', 'status', 'feature_flag_result_variant'],
    buckets: LATENCY_BUCKETS_SECONDS,
    registers: [registry],
  })
  return {
    registry,
    measure: async (context, next) => {
      const stop = duration.startTimer()
      await next()
      const route = matchedRoutes(context).find((route) => route.method !== 'ALL')?.path ?? 'unmatched'
      const labels = { method: context.req.method, route, status: String(context.res.status) }
      const variant = context.get('variant')
      stop(variant === undefined ? labels : { ...labels, feature_flag_result_variant: variant })
    },
  }
}
