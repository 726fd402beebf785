import type { DropCheck } from './check.ts'
import { dependents } from './dependents.ts'
import { failedRows } from './failedRows.ts'
import { flagStable } from './flagStable.ts'
import { flagUnasked } from './flagUnasked.ts'
import { functionBodies } from './functionBodies.ts'
import { noReads, noWrites } from './statements.ts'
import { subscribers } from './subscribers.ts'
import { undo } from './undo.ts'
import { validation } from './validation.ts'

/** What is asked before anything is archived, in this order. Names are unique. */
export const CHECKS: readonly DropCheck[] = [
  validation,
  flagStable,
  failedRows,
  dependents,
  functionBodies,
  noReads,
  noWrites,
  flagUnasked,
  subscribers,
  undo,
]
