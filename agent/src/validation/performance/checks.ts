import type { ValidationCheck } from '../check.ts'
import { databaseQueryTimeEach } from './databaseQueryTimeEach.ts'
import { signalCheck } from './signalCheck.ts'

/** The performance layer: the application and its queries are as fast as in the baseline. */
export const PERFORMANCE_CHECKS: readonly ValidationCheck[] = [
  signalCheck('api-latency-average', 'api-latency-average'),
  signalCheck('api-latency-p95', 'api-latency-p95'),
  signalCheck('api-error-ratio', 'api-error-ratio', 'ratio'),
  signalCheck('api-throughput', 'api-request-rate'),
  signalCheck('database-query-time', 'query-time'),
  databaseQueryTimeEach,
]
