import type { DropCheck } from './check.ts'
import { noDependentObjects } from './dependents.ts'
import { noFailedRows } from './failedRows.ts'
import { flagStable } from './flagStable.ts'
import { flagNotEvaluated } from './flagUnasked.ts'
import { noFunctionBodies } from './functionBodies.ts'
import { noStatementReads, noStatementWrites } from './statements.ts'
import { noSubscribers } from './subscribers.ts'
import { undoPossible } from './undo.ts'
import { validationPassed } from './validation.ts'

/** What is asked before anything is archived, in this order. Names are unique. */
export const DROP_CHECKS: readonly DropCheck[] = [
  validationPassed,
  flagStable,
  noFailedRows,
  noDependentObjects,
  noFunctionBodies,
  noStatementReads,
  noStatementWrites,
  flagNotEvaluated,
  noSubscribers,
  undoPossible,
]
