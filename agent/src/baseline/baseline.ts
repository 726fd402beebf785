import { BaselineParameters } from '../contract/index.ts'
import { formatDuration } from '../format/format.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { OperationDefinition, RunOutcome, RunContext } from '../kind/kind.ts'
import { computeBaselineDigest, saveBaseline, createBaselineContext } from '../measure/baselineStore.ts'
import type { Signals } from '../signals/signals.ts'
import { explainNoHistory, findHistoryFault, measureFromHistory } from './measureFromHistory.ts'
import { sampleLive } from './sampleLive.ts'
import type { BaselineMeasurement } from './sampling.ts'

export interface BaselineDependencies {
  readonly signals: Signals
  readonly environment: string
}

/** The kind of operation that measures every signal and query, for later comparisons. */
export function createBaseline(dependencies: BaselineDependencies): OperationDefinition<'baseline'> {
  return {
    kind: 'baseline',
    refusals({ blockers, openOperations: open }, parameters) {
      const { live } = BaselineParameters.parse(parameters)
      const writer = open.find(({ kind }) => ['expand', 'backfill', 'finalize', 'rollback'].includes(kind))
      return [
        ...blockers,
        ...(open.some(({ kind }) => kind === 'baseline')
          ? ['Another baseline is in progress. Wait for it, or cancel it.']
          : []),
        ...(live && writer
          ? [
              `${writer.kind} ${writer.id} is ${writer.state}, and its load would become part of the baseline. Wait until it ends.`,
            ]
          : []),
        // A caller that only queries the allowed actions has not chosen history or live yet.
        ...(!live && dependencies.signals.history === null && 'durationSeconds' in parameters
          ? [
              'The agent has no Prometheus, so there is no history. Set STI_PROMETHEUS_URL, or sample from now on (--live).',
            ]
          : []),
      ]
    },
    async requestRefusals({ rollout }, parameters) {
      const { durationSeconds, live } = BaselineParameters.parse(parameters)
      const { signals, environment } = dependencies
      const fault = live ? null : await findHistoryFault(signals, rollout.name, environment, durationSeconds)
      return fault === null ? [] : [fault]
    },
    async preview(_, parameters) {
      const { durationSeconds, live } = BaselineParameters.parse(parameters)
      return {
        rows: 0,
        estimatedWalBytes: 0,
        estimatedSeconds: live ? durationSeconds : 5,
        notes: [
          live
            ? `Samples every signal for ${formatDuration(durationSeconds)} from now on. Does not write to the table.`
            : `Reads the last ${formatDuration(durationSeconds)} of every signal from Prometheus. Does not write to the table.`,
        ],
      }
    },
    run: (run) => measureBaseline(dependencies, run),
  }
}

async function measureBaseline({ signals, environment }: BaselineDependencies, run: RunContext): Promise<RunOutcome> {
  const { rollout, database, operation } = run
  const { durationSeconds, live, release = null } = BaselineParameters.parse(operation.parameters)
  const measurement = live
    ? await sampleLive(run, signals, durationSeconds)
    : await measureFromHistory(run, signals, environment, durationSeconds)
  if (measurement === null) return { outcome: 'stopped' }
  const knownSignals = measurement.signals.filter(({ unknown }) => unknown === null)
  if (knownSignals.length === 0)
    throw new OperationFailedError('no-baseline', explainNoSignal(measurement, durationSeconds))
  const { fileHash, sourcesHash } = createBaselineContext(rollout, environment)
  const content = { ...measurement, rollout: rollout.name, environment, fileHash, sourcesHash, release }
  const record = { rollout: rollout.name, operationId: operation.id, oneRunOnly: false, createdBy: operation.actor }
  const id = await saveBaseline(database.state, { ...record, source: measurement.measured, content }, operation.reason)
  await database.state`delete from sti.baseline_sampling where operation_id = ${operation.id}`
  const unknown = measurement.signals
    .filter((signal) => signal.unknown !== null)
    .map(({ signal, unknown: reason }) => `${signal}: ${reason}`)
  return {
    outcome: 'succeeded',
    result: {
      baseline: id,
      digest: computeBaselineDigest(content),
      measured: measurement.measured,
      signals: knownSignals.length,
      queries: measurement.queries.length,
      unknown,
      notes: measurement.notes,
    },
  }
}

function explainNoSignal({ measured, signals }: BaselineMeasurement, seconds: number): string {
  if (measured === 'history') return explainNoHistory(signals, seconds)
  const first = signals[0] ? ` (${signals[0].signal}: ${signals[0].unknown})` : ''
  return `No signal was read for long enough${first}. Check the health of the agent, and use a longer --duration (at least 60 s).`
}
