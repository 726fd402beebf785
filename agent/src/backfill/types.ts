import { BackfillParameters } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { Pace, Rewrite } from '../engine/job.ts'
import type { Run } from '../engine/kind.ts'
import type { Table } from '../rollout/rollout.ts'
import { checkBudget } from './budget.ts'
import { typeChange } from './change.ts'

/** What whoever writes types has to hear, the holder of the backfill or an agent that helps. */
type Teller = Pick<Rewrite, 'gate' | 'connect' | 'passed' | 'retried'> & {
  parameters(): BackfillParameters
  /** Rows of the table, for the error budget. */
  total(): number
  /** How it writes now. */
  decided(sentence: string): void
  /** Called between batches by every worker. */
  looked(): Promise<void>
}

/** Gives every row of the table its type: the work of the lanes, with failed rows told and held against the budget. */
export function typesJob(run: Run, table: Table, teller: Teller): Rewrite {
  const { database, rollout, operation } = run
  const { gate, connect, passed, retried } = teller
  /** What is to be said once the batch is committed: outside of what is tried again. */
  let sayings: { kind: string; sentence: string }[] = []
  return {
    run,
    gate,
    connect,
    passed,
    retried,
    change: typeChange(rollout, table.key),
    secondaryIndexes: table.secondaryIndexes.length,
    pace: () => paceOf(teller.parameters()),
    points: {
      lanes: 'backfill.lanes',
      batch: 'backfill.batch',
      written: 'backfill.written',
      poison: 'backfill.poison',
      laneFinished: 'backfill.lane-finished',
    },
    failed: (sentence) => sayings.push({ kind: 'failed-row', sentence }),
    decided(sentence) {
      sayings.push({ kind: 'striping', sentence })
      teller.decided(sentence)
    },
    async between() {
      await teller.looked()
      const now = sayings
      sayings = []
      for (const { kind, sentence } of now) await run.event(kind, sentence)
      if (!now.some(({ kind }) => kind === 'failed-row')) return
      await run.reached('backfill.failure-told')
      await checkBudget(database.state, rollout, operation.id, teller.total())
    },
  }
}

/** Whoever wants it to rest wants it gentle: a request that meets a batch waits for a hundredth of a second at most. */
function paceOf(parameters: BackfillParameters): Pace {
  const maximumBatchSeconds = parameters.maximumBatchSeconds ?? (parameters.niceRatio > 0 ? 0.01 : 0.1)
  return { batchSize: undefined, ...parameters, maximumBatchSeconds }
}

/** A connection of one worker of a backfill. */
export function connection({ database, operation, rollout }: Run): () => Sql {
  const { searchPath } = rollout
  return () =>
    database.engine({ purpose: `backfill ${operation.id}`, searchPath, ranges: true, statementTimeoutMs: 20_000 })
}

/** The parameters as they are now. Asked several times for each batch, and parsed only when somebody has changed them. */
export function parametersOf(run: Run): () => BackfillParameters {
  let of = run.parameters()
  let parsed = BackfillParameters.parse(of)
  return () => {
    const now = run.parameters()
    if (now !== of) parsed = BackfillParameters.parse(now)
    of = now
    return parsed
  }
}
