import { BaselineParameters, type BaselineContent } from '../contract/index.ts'
import { OperationFailure } from '../engine/errors.ts'
import type { Kind, Outcome, Run } from '../engine/kind.ts'
import { contentDigest, saveBaseline, useOf } from '../measure/store.ts'
import type { Signals } from '../signals/signals.ts'
import { readHistory } from './fromHistory.ts'
import { sampleLive } from './live.ts'

export interface BaselineParts {
  readonly signals: Signals
  readonly environment: string
}

/** What was measured, before it is known under which file. */
export type Taken = Pick<BaselineContent, 'measured' | 'startedAt' | 'endedAt' | 'signals' | 'queries' | 'notes'>

/** Measures every signal and every query as they are, so that later ones can be compared with them. */
export function createBaseline(parts: BaselineParts): Kind {
  return {
    kind: 'baseline',
    writesTable: false,
    refusals({ blockers, open }, asked) {
      const { live } = BaselineParameters.parse(asked)
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
        ...(!live && parts.signals.history === null && 'durationSeconds' in asked
          ? ['The agent has no Prometheus, and so no history: set STI_PROMETHEUS_URL, or sample from now on (--live).']
          : []),
      ]
    },
    async preview(_, asked) {
      const { durationSeconds, live } = BaselineParameters.parse(asked)
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
    run: (run) => take(parts, run),
  }
}

async function take({ signals, environment }: BaselineParts, run: Run): Promise<Outcome> {
  const { rollout, database, operation } = run
  const { durationSeconds, live, release = null } = BaselineParameters.parse(operation.parameters)
  const taken = live
    ? await sampleLive(run, signals, durationSeconds)
    : await readHistory(run, signals, environment, durationSeconds)
  if (taken === null) return { outcome: 'stopped' }
  const known = taken.signals.filter(({ unknown }) => unknown === null)
  if (known.length === 0) throw new OperationFailure('no-baseline', nothingKnown(taken, durationSeconds))
  const { fileHash, sourcesHash } = useOf(rollout, environment)
  const content = { ...taken, rollout: rollout.name, environment, fileHash, sourcesHash, release }
  const kept = { rollout: rollout.name, operationId: operation.id, oneRunOnly: false, createdBy: operation.actor }
  const id = await saveBaseline(database.state, { ...kept, source: taken.measured, content }, operation.reason)
  await database.state`delete from sti.baseline_sampling where operation_id = ${operation.id}`
  const unknown = taken.signals.filter((one) => one.unknown !== null).map((one) => `${one.signal}: ${one.unknown}`)
  return {
    outcome: 'succeeded',
    result: {
      baseline: id,
      digest: contentDigest(content),
      measured: taken.measured,
      signals: known.length,
      queries: taken.queries.length,
      unknown,
      notes: taken.notes,
    },
  }
}

const hours = (seconds: number): string => (seconds < 7_200 ? `${seconds} s` : `${Math.round(seconds / 3_600)} hours`)

function nothingKnown({ measured, signals }: Taken, seconds: number): string {
  const first = signals[0] ? ` (${signals[0].signal}: ${signals[0].unknown})` : ''
  return measured === 'history'
    ? `Prometheus does not have ${hours(seconds)} of history of any signal${first}: ask for a shorter --duration, or sample from now on with --live.`
    : `No signal was read for long enough${first}: look at the agent's health, and take a longer --duration; 60 s at least.`
}
