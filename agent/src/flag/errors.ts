import type { ProblemCode } from '../contract/index.ts'

/** A refusal of this room; http gives it the status of its code. */
export class FlagRefusal extends Error {
  readonly code: ProblemCode
  constructor(
    code: Extract<ProblemCode, 'refused' | 'conflict' | 'database-away' | 'unknown-rollout'>,
    message: string,
  ) {
    super(message)
    this.name = 'FlagRefusal'
    this.code = code
  }
}
