import type { DropCheck, TableContext } from './dropCheck.ts'
import { noDependentObjects } from './noDependentObjects.ts'
import { noFailedRows } from './noFailedRows.ts'
import { flagStable } from './flagStable.ts'
import { lossless } from './lossless.ts'
import { flagNotEvaluated } from './flagNotEvaluated.ts'
import { noFunctionBodies } from './noFunctionBodies.ts'
import { noStatementReads, noStatementWrites } from './noStatementUses.ts'
import { noSubscribers } from './noSubscribers.ts'
import { undoPossible } from './undoPossible.ts'
import { validationPassed } from './validationPassed.ts'

/** The checks whose answer is in the catalog, which `sti check` runs before expand. */
export const TABLE_CHECKS: readonly DropCheck<TableContext>[] = [
  noDependentObjects,
  noFunctionBodies,
  noSubscribers,
  undoPossible,
]

/** The safety checks before anything is archived, in this order. Names are unique. */
export const DROP_CHECKS: readonly DropCheck[] = [
  validationPassed,
  flagStable,
  noFailedRows,
  lossless,
  noDependentObjects,
  noFunctionBodies,
  noStatementReads,
  noStatementWrites,
  flagNotEvaluated,
  noSubscribers,
  undoPossible,
]
