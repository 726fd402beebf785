import type { ProblemCode } from '../contract/index.ts'

/** A refusal of a flag change; http/problem.ts maps its code to a status. */
export class FlagRefusal extends Error {
  readonly code: ProblemCode
  constructor(
    code: Extract<ProblemCode, 'refused' | 'conflict' | 'superseded' | 'database-away' | 'unknown-rollout'>,
    message: string,
  ) {
    super(message)
    this.name = 'FlagRefusal'
    this.code = code
  }
}
