import { RollbackParameters } from '../contract/index.ts'
import type { Kind, Outcome, Run } from '../engine/kind.ts'
import { monitoringRollback } from '../monitoring/monitoring.ts'
import { estimateOf } from '../rollback/estimate.ts'
import { NOTHING } from '../rollback/refusals.ts'
import { rollback as dataRollback } from '../rollback/rollback.ts'
import { systemRollback as tableRollback } from '../rollback/system.ts'

/** Every journaled change, first those of the table, then those of enhanced monitoring: until then it goes on watching. */
const systemRollback: Kind = {
  ...tableRollback,
  refusals(facts, parameters) {
    const reasons = tableRollback.refusals(facts, parameters)
    return facts.monitoringChanges.length === 0 ? reasons : reasons.filter((reason) => reason !== NOTHING)
  },
  async preview(context, parameters) {
    const table = await tableRollback.preview(context, parameters)
    if (context.facts.monitoringChanges.length === 0) return table
    const monitoring = await monitoringRollback.preview(context, parameters)
    return {
      ...table,
      statements: [...(table.statements ?? []), ...(monitoring.statements ?? [])],
      notes: [...(table.notes ?? []), 'Enhanced monitoring is taken back last.'],
    }
  },
  async run(run: Run): Promise<Outcome> {
    const table = await tableRollback.run(run)
    if (table.outcome === 'stopped' || (await run.facts()).monitoringChanges.length === 0) return table
    const monitoring = await monitoringRollback.run(run)
    if (monitoring.outcome === 'stopped') return monitoring
    return { outcome: 'succeeded', result: { ...table.result, monitoring: monitoring.result } }
  },
}

/** The rollbacks that are run as operations, by scope. (The flag's waits for nothing: http/accept.ts.) */
export const rollback: Kind = {
  kind: 'rollback',
  writesTable: (parameters) => scoped(parameters).writesTable === true,
  refusals: (facts, parameters) => scoped(parameters).refusals(facts, parameters),
  async preview(context, parameters) {
    const { seconds, basis } = estimateOf(context.facts, RollbackParameters.parse(parameters).scope)
    const preview = await scoped(parameters).preview(context, parameters)
    return { ...preview, estimatedSeconds: seconds, estimateBasis: basis }
  },
  run: (run) => scoped(run.operation.parameters).run(run),
}

function scoped(parameters: Record<string, unknown>): Kind {
  switch (RollbackParameters.parse(parameters).scope) {
    case 'monitoring':
      return monitoringRollback
    case 'system':
      return systemRollback
    default:
      return dataRollback
  }
}
