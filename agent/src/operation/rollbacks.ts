import { RollbackParameters } from '../contract/index.ts'
import type { Kind } from '../engine/kind.ts'
import { monitoringRollback } from '../monitoring/monitoring.ts'
import { rollback as dataRollback } from '../rollback/rollback.ts'

/** The rollbacks that are run as operations, by scope. (The flag's waits for nothing: http/accept.ts.) */
export const rollback: Kind = {
  kind: 'rollback',
  writesTable: (parameters) => scoped(parameters).writesTable === true,
  refusals: (facts, parameters) => scoped(parameters).refusals(facts, parameters),
  preview: (context, parameters) => scoped(parameters).preview(context, parameters),
  run: (run) => scoped(run.operation.parameters).run(run),
}

function scoped(parameters: Record<string, unknown>): Kind {
  return RollbackParameters.parse(parameters).scope === 'monitoring' ? monitoringRollback : dataRollback
}
