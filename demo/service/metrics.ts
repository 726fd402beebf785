import type { MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import { Histogram, Registry } from 'prom-client'

const LATENCY_BUCKETS_SECONDS = [
  0.001, 0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5,
]

export interface RequestMetrics {
  readonly registry: Registry
  readonly measure: MiddlewareHandler
}

/** Histogram of request durations by method, route and status, in seconds. */
export function requestMetrics(): RequestMetrics {
  const registry = new Registry()
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Duration of HTTP requests',
    labelNames: ['method', 'route', 'status'],
    buckets: LATENCY_BUCKETS_SECONDS,
    registers: [registry],
  })
  return {
    registry,
    measure: async (context, next) => {
      const stop = duration.startTimer()
      await next()
      const route = matchedRoutes(context).find((route) => route.method !== 'ALL')?.path ?? 'unmatched'
      stop({ method: context.req.method, route, status: String(context.res.status) })
    },
  }
}
