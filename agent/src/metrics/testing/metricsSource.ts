import type { MetricsSource, RolloutReadings } from '../metricsSource.ts'

/** Readings of a rollout in the middle of its backfill. */
export function rolloutReadings(overrides: Partial<RolloutReadings> = {}): RolloutReadings {
  return {
    rollout: 'vehicles',
    stage: 'backfilling',
    fileVersions: 1,
    coverage: null,
    backfill: null,
    failedRowsBySqlstate: {},
    errorBudgetUsed: null,
    retriesBySqlstate: {},
    conflicts: null,
    recovery: { failedOnce: 0, recovered: 0 },
    checks: [],
    integrityScore: null,
    validationEndedAt: null,
    validationsByVerdict: {},
    validationDueAt: null,
    validationIntervalSeconds: 3_600,
    baseline: new Map(),
    limits: new Map(),
    flag: {
      key: 'vehicles-sti',
      enabled: false,
      percentage: 100,
      version: 3,
      changedAt: null,
      changedBy: null,
      persisted: true,
      pendingOff: null,
      ageSeconds: 1,
      clients: [],
      consistent: true,
      longestRequestSeconds: 30,
      lastPropagationSeconds: null,
    },
    rollbackReady: [],
    backup: null,
    rehearsedAt: null,
    operations: [],
    rollbacks: [],
    readiness: null,
    automaticRollbackArmed: null,
    conditions: [],
    comparison: null,
    incidents: [],
    readAt: Date.now(),
    ...overrides,
  }
}

export function createMetricsSource(rollouts: () => readonly RolloutReadings[]): MetricsSource {
  return { build: { version: '0.1.0', agent: 'a' }, refreshSeconds: 1, rollouts }
}
