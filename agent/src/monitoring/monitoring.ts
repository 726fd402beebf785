import { MonitoringParameters } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinition } from '../kind/kind.ts'
import { enableMonitoring, samplingChange } from './enableMonitoring.ts'
import { disableMonitoring } from './disableMonitoring.ts'
import { planSettings } from './monitoringSettings.ts'

/** Enhanced monitoring on, or off, which is the rollback of scope monitoring by another name. */
export const monitoring: OperationDefinition<'monitoring'> = {
  kind: 'monitoring',
  refusals(facts, parameters) {
    if (!MonitoringParameters.parse(parameters).enabled) return monitoringRollback.refusals(facts, parameters)
    const { enhanced, refused } = facts.monitoring
    return [...facts.blockers, ...(enhanced && refused.length === 0 ? ['Enhanced monitoring is on already.'] : [])]
  },
  async preview(context, parameters) {
    if (!MonitoringParameters.parse(parameters).enabled) return await monitoringRollback.preview(context, parameters)
    const sql = context.database.engine({ purpose: 'monitoring', readOnly: true })
    try {
      const { changes, refused } = await planSettings(sql)
      const samplingChanges = context.facts.monitoring.enhanced ? [] : [samplingChange(context.rollout)]
      return {
        rows: 0,
        estimatedSeconds: 1,
        estimatedWalBytes: 0,
        statements: [...samplingChanges, ...changes].map((change) => change.statement),
        notes: [...refused, 'Sessions that are open keep their settings until they connect anew.'],
      }
    } finally {
      await sql.end({ timeout: 1 })
    }
  },
  run: (run) =>
    MonitoringParameters.parse(run.operation.parameters).enabled ? enableMonitoring(run) : disableMonitoring(run),
}

/** The rollback of scope `monitoring`. */
export const monitoringRollback: OperationDefinition<'rollback'> = {
  kind: 'rollback',
  refusals: (facts) => [...facts.blockers, ...notEnabledRefusals(facts)],
  async preview({ facts }) {
    return {
      rows: 0,
      estimatedWalBytes: 0,
      statements: facts.monitoringChanges.map((change) => change.inverse).reverse(),
      notes: ['What somebody else has changed since is left as it is, and named.'],
    }
  },
  run: disableMonitoring,
}

function notEnabledRefusals({ monitoringChanges }: RolloutFacts): string[] {
  return monitoringChanges.length === 0 ? ['Enhanced monitoring is not on: there is nothing to take back.'] : []
}
