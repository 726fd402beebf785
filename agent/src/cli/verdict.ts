import type { Verdict } from '../contract/index.ts'
import { Exit } from './exit.ts'

/** The exit code of a verdict: what could not be judged is neither done nor failed. */
export const exitOfVerdict = {
  pass: Exit.done,
  fail: Exit.failed,
  inconclusive: Exit.inconclusive,
  error: Exit.inconclusive,
} satisfies Record<Verdict, Exit>
