import type { Verdict } from '../contract/index.ts'
import { ExitCode } from './exitCode.ts'

/** The exit code of a verdict: what could not be judged is neither done nor failed. */
export const EXIT_CODE_OF_VERDICT = {
  pass: ExitCode.done,
  fail: ExitCode.failed,
  inconclusive: ExitCode.inconclusive,
  error: ExitCode.inconclusive,
} satisfies Record<Verdict, ExitCode>
