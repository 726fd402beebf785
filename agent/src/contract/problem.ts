import { z } from '@hono/zod-openapi'

/** Every refusal the agent can answer with. The HTTP status of each is in http/problem.ts. */
export const ProblemCode = z.enum([
  'bad-request',
  'bad-path',
  'forbidden',
  'not-found',
  'unknown-rollout',
  'refused',
  'conflict',
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
    detail: z.string().describe('one sentence that says what is wrong and what to do'),
    reasons: z.array(z.string()).optional().describe('what would have to be true'),
  })
  .openapi('Problem')
export type Problem = z.infer<typeof Problem>
