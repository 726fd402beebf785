import { BaselineParameters } from '../contract/index.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { OperationDefinition, RunOutcome, RunContext } from '../kind/kind.ts'
import { computeBaselineDigest, saveBaseline, createBaselineContext } from '../measure/baselineStore.ts'
import type { Signals } from '../signals/signals.ts'
import { measureFromHistory } from './measureFromHistory.ts'
import { sampleLive } from './sampleLive.ts'
import type { BaselineMeasurement } from './sampling.ts'

export interface BaselineDependencies {
  readonly signals: Signals
  readonly environment: string
}

/** Measures every signal and every query as they are, so that later ones can be compared with them. */
export function createBaseline(dependencies: BaselineDependencies): OperationDefinition<'baseline'> {
  return {
    kind: 'baseline',
    refusals({ blockers, openOperations: open }, parameters) {
      const { live } = BaselineParameters.parse(parameters)
      const writer = open.find(({ kind }) => ['expand', 'backfill', 'finalize', 'rollback'].includes(kind))
      return [
        ...blockers,
        ...(open.some(({ kind }) => kind === 'baseline')
          ? ['A baseline is being taken: wait for it, or cancel it.']
          : []),
        ...(live && writer
          ? [`${writer.kind} ${writer.id} is ${writer.state}: its load would be part of the baseline. Wait for it.`]
          : []),
        // A page that asks what is allowed has not said yet which of the two it wants.
        ...(!live && dependencies.signals.history === null && 'durationSeconds' in parameters
          ? ['The agent has no Prometheus, and so no history: set STI_PROMETHEUS_URL, or sample from now on (--live).']
          : []),
      ]
    },
    async preview(_, parameters) {
      const { durationSeconds, live } = BaselineParameters.parse(parameters)
      return {
        rows: 0,
        estimatedWalBytes: 0,
        estimatedSeconds: live ? durationSeconds : 5,
        notes: [
          live
            ? `Samples every signal for ${durationSeconds} s from now on. Writes nothing to the table.`
            : `Reads what Prometheus knows of the last ${durationSeconds} s. Writes nothing to the table.`,
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
    .filter((one) => one.unknown !== null)
    .map((one) => `${one.signal}: ${one.unknown}`)
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

const formatHours = (seconds: number): string =>
  seconds < 7_200 ? `${seconds} s` : `${Math.round(seconds / 3_600)} hours`

function explainNoSignal({ measured, signals }: BaselineMeasurement, seconds: number): string {
  const first = signals[0] ? ` (${signals[0].signal}: ${signals[0].unknown})` : ''
  return measured === 'history'
    ? `Prometheus does not have ${formatHours(seconds)} of history of any signal${first}: ask for a shorter --duration, or sample from now on with --live.`
    : `No signal was read for long enough${first}: look at the agent's health, and take a longer --duration; 60 s at least.`
}
