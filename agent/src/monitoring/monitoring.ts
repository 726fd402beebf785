import { MonitoringParameters } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinition, ScopeRollback } from '../kind/kind.ts'
import { enableMonitoring, samplingChange } from './enableMonitoring.ts'
import { disableMonitoring } from './disableMonitoring.ts'
import { planSettings } from './monitoringSettings.ts'

/** Enables or disables enhanced monitoring. Disabling equals a rollback of scope `monitoring`. */
export const monitoring: OperationDefinition<'monitoring'> = {
  kind: 'monitoring',
  refusals(facts, parameters) {
    if (!MonitoringParameters.parse(parameters).enabled) return monitoringRollback.refusals(facts, parameters)
    const { enhanced, refused } = facts.monitoring
    return [...facts.blockers, ...(enhanced && refused.length === 0 ? ['Enhanced monitoring is already enabled.'] : [])]
  },
  nothingToRollBack: (facts, parameters) =>
    !MonitoringParameters.parse(parameters).enabled && facts.monitoringChanges.length === 0,
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
        notes: ['Open sessions keep their settings until they reconnect.'],
        warnings: [...refused],
      }
    } finally {
      await sql.end({ timeout: 1 })
    }
  },
  run: (run) =>
    MonitoringParameters.parse(run.operation.parameters).enabled ? enableMonitoring(run) : disableMonitoring(run),
}

/** The rollback of scope `monitoring`. */
export const monitoringRollback: ScopeRollback = {
  kind: 'rollback',
  refusals: (facts) => [...facts.blockers, ...notEnabledRefusals(facts)],
  nothingToRollBack: (facts) => facts.monitoringChanges.length === 0,
  async preview({ facts }) {
    return {
      rows: 0,
      estimatedWalBytes: 0,
      statements: facts.monitoringChanges.map((change) => change.inverse).reverse(),
      notes: ['Keeps and lists settings that others have changed since.'],
    }
  },
  run: disableMonitoring,
}

function notEnabledRefusals({ monitoringChanges }: RolloutFacts): string[] {
  return monitoringChanges.length === 0 ? ['Enhanced monitoring is not enabled, so there is nothing to roll back.'] : []
}
