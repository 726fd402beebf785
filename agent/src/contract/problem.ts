import { z } from '@hono/zod-openapi'

/** The error codes of the API. http/problem.ts maps them to HTTP statuses. */
export const ProblemCode = z.enum([
  'bad-request',
  'bad-path',
  'forbidden',
  'not-found',
  'unknown-rollout',
  'refused',
  'nothing-to-roll-back',
  'conflict',
  'superseded',
  'wrong-environment',
  'unsupported-media-type',
  'too-large',
  'invalid-body',
  'database-away',
  'internal',
])
export type ProblemCode = z.infer<typeof ProblemCode>

/** RFC 9457 problem details. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: ProblemCode,
    detail: z.string().describe('what failed, why, and what to do'),
    reasons: z.array(z.string()).optional().describe('what must be true for the request to succeed'),
  })
  .openapi('Problem')
export type Problem = z.infer<typeof Problem>
