import { RollbackParameters } from '../contract/index.ts'
import type { OperationDefinition, RunContext, RunOutcome, ScopeRollback } from '../kind/kind.ts'
import { monitoringRollback } from '../monitoring/monitoring.ts'
import { estimateRollback } from '../rollback/rollbackEstimate.ts'
import { hasNothingToRollBack, NOTHING_TO_ROLL_BACK } from '../rollback/rollbackRefusals.ts'
import { dataRollback } from '../rollback/dataRollback.ts'
import { systemRollback as tableRollback } from '../rollback/systemRollback.ts'

/** Reverts the changes of the table first and those of enhanced monitoring last, so that monitoring covers the rollback. */
const systemAndMonitoringRollback: ScopeRollback = {
  ...tableRollback,
  refusals(facts, parameters) {
    const reasons = tableRollback.refusals(facts, parameters)
    return facts.monitoringChanges.length === 0 ? reasons : reasons.filter((reason) => reason !== NOTHING_TO_ROLL_BACK)
  },
  nothingToRollBack: (facts) => hasNothingToRollBack(facts) && facts.monitoringChanges.length === 0,
  async preview(context, parameters) {
    const table = await tableRollback.preview(context, parameters)
    if (context.facts.monitoringChanges.length === 0) return table
    const monitoring = await monitoringRollback.preview(context, parameters)
    return {
      ...table,
      statements: [...(table.statements ?? []), ...(monitoring.statements ?? [])],
      notes: [...(table.notes ?? []), 'Enhanced monitoring is rolled back last.'],
    }
  },
  async run(run: RunContext): Promise<RunOutcome> {
    const table = await tableRollback.run(run)
    if (table.outcome === 'stopped' || (await run.readFacts()).monitoringChanges.length === 0) return table
    const monitoring = await monitoringRollback.run(run)
    if (monitoring.outcome === 'stopped') return monitoring
    return { outcome: 'succeeded', result: { ...table.result, monitoring: monitoring.result } }
  },
}

/** The rollbacks by scope. The flag is rolled back at once, without an operation in the queue (http/acceptOperation.ts). */
export const rollbackKind: OperationDefinition<'rollback'> = {
  kind: 'rollback',
  refusals: (facts, parameters) =>
    RollbackParameters.parse(parameters).scope === 'flag' ? [] : kindForScope(parameters).refusals(facts, parameters),
  nothingToRollBack: (facts, parameters) =>
    RollbackParameters.parse(parameters).scope !== 'flag' &&
    kindForScope(parameters).nothingToRollBack(facts, parameters),
  async preview(context, parameters) {
    const { seconds, basis } = estimateRollback(context.facts, RollbackParameters.parse(parameters).scope)
    const preview = await kindForScope(parameters).preview(context, parameters)
    return { ...preview, estimatedSeconds: seconds, estimateBasis: basis }
  },
  run: (run) => kindForScope(run.operation.parameters).run(run),
}

function kindForScope(parameters: Record<string, unknown>): ScopeRollback {
  switch (RollbackParameters.parse(parameters).scope) {
    case 'monitoring':
      return monitoringRollback
    case 'system':
      return systemAndMonitoringRollback
    default:
      return dataRollback
  }
}
