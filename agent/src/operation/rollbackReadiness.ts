import { operationName, RollbackScope, writesTable, type ScopeReadiness } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { estimateRollback, lastVerifiedAt } from '../rollback/rollbackEstimate.ts'
import { droppedColumnRefusals, hasNothingToRollBack, NOTHING_TO_ROLL_BACK } from '../rollback/rollbackRefusals.ts'

/** For each scope: can it be rolled back now, how long would that take, and when was that last verified. */
export function assessRollbackReadiness(facts: RolloutFacts): ScopeReadiness[] {
  const flagReasons = facts.flag.ageSeconds === null ? ['The flag has not been read from the database yet.'] : []
  const writerRefusals = facts.openOperations
    .filter(writesTable)
    .map((open) => `${operationName(open)} is ${open.state}: cancel it first.`)
  const dataReasons = [
    ...facts.blockers,
    ...droppedColumnRefusals(facts),
    ...(facts.table?.discriminator === null || hasNothingToRollBack(facts) ? [NOTHING_TO_ROLL_BACK] : []),
    ...writerRefusals,
  ]
  const reasons: Record<RollbackScope, readonly string[]> = {
    flag: flagReasons,
    data: dataReasons,
    system:
      facts.changes.length + facts.monitoringChanges.length > 0
        ? [...facts.blockers, ...droppedColumnRefusals(facts), ...writerRefusals]
        : dataReasons,
    monitoring: facts.blockers,
  }
  return RollbackScope.options.map((scope) => {
    const { seconds, basis } = estimateRollback(facts, scope)
    return {
      scope,
      ready: reasons[scope].length === 0,
      reasons: [...reasons[scope]],
      estimatedSeconds: seconds,
      estimateBasis: basis,
      verifiedAt: lastVerifiedAt(facts, scope),
    }
  })
}
