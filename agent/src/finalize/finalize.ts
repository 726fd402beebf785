import { operationName } from '../contract/index.ts'
import { formatDuration } from '../format/format.ts'
import { assertClaimHeld, runNonTransactional } from '../ddl/nonTransactional.ts'
import { errorCode, errorMessage } from '../database/errors.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { OperationDefinition, RunOutcome, RunContext } from '../kind/kind.ts'
import { operationSeconds, estimateDuration } from '../kind/durationEstimate.ts'
import { requireTable } from '../kind/requireTable.ts'
import { flagOnlyGaps, rowVerificationGaps } from '../kind/verification.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { cannotRaise } from '../rollout/cannotRaise.ts'
import { correctedWritesRefusals, describeCorrectedWrites } from '../dualWrite/correctedWrites.ts'
import { reverseSyncChange } from '../dualWrite/reverseSync.ts'
import { addConstraintChange, ensureConstraint, setNotNull } from './checkConstraint.ts'
import { createIndexChange, ensureIndex } from './discriminatorIndex.ts'
import { indexName } from './objectNames.ts'
import { findMissingSteps } from './missingSteps.ts'
import { enableReverseSync } from './enableReverseSync.ts'

/** Rate for index and constraint that a preview assumes before the first measurement. */
const ASSUMED_ROWS_PER_SECOND = 500_000

export const finalize: OperationDefinition<'finalize'> = {
  kind: 'finalize',
  refusals(facts) {
    const { rollout, table } = facts
    const wantsNotNull = rollout.file.constraint === 'notNull' && table !== null
    return [
      ...facts.faults,
      ...(facts.stage === 'covered' || (facts.flag.enabled && !facts.coverageVerified)
        ? [`Coverage is not verified. ${rowVerificationGaps(facts).join(' ')} Run a validation that passes first.`]
        : []),
      ...(['new', 'expanded', 'backfilling'].includes(facts.stage)
        ? ['The backfill has not succeeded. Run it, then run a validation.']
        : []),
      ...(facts.stage === 'rolled-back' ? ['The rollout is rolled back. Run a validation first.'] : []),
      ...(wantsNotNull && (rollout.mayBeUnmapped || !cannotRaise(rollout, table))
        ? [
            '`constraint: notNull` requires `otherwise` and conditions with columns, constants, and comparisons only: other conditions could fail writes of the application.',
          ]
        : []),
      ...correctedWritesRefusals(rollout, facts.correctedWrites),
    ]
  },
  async preview({ rollout, table, facts }) {
    const lastFinalize = facts.succeededOperations.findLast((operation) => operation.kind === 'finalize')
    const took = operationSeconds(lastFinalize)
    const { notes, ...time } =
      took === null
        ? estimateDuration(table.estimatedRows, null, { does: 'reads', perSecond: ASSUMED_ROWS_PER_SECOND })
        : {
            estimatedSeconds: took,
            estimateBasis: `${operationName(lastFinalize!)}, which took ${formatDuration(took)}`,
            notes: [],
          }
    return {
      ...time,
      rows: 0,
      statements: [
        createIndexChange(rollout, rollout.table.sql, table.partitioned).statement,
        addConstraintChange(rollout).statement,
        `analyze ${rollout.table.sql}`,
        ...(rollout.file.dualWrite === 'trigger' ? [reverseSyncChange(rollout, table).statement] : []),
      ],
      notes: [
        ...notes,
        ...conflictNotes(facts),
        ...flagOnlyGaps(facts).map((gap) => `${gap} Finalize does not depend on this; turning the flag on does.`),
        facts.finalizeMissing.length === 0
          ? 'Everything exists already.'
          : `Missing: ${facts.finalizeMissing.join(', ')}.`,
        table.partitioned
          ? 'The index is created CONCURRENTLY partition by partition, then for the whole table, which is instant.'
          : 'The index is created CONCURRENTLY, and the constraint is validated without blocking writes.',
      ],
    }
  },
  run: runFinalize,
}

function conflictNotes({ rollout, correctedWrites, finalizeMissing }: RolloutFacts): string[] {
  if (rollout.file.dualWrite !== 'trigger' || finalizeMissing.length === 0) return []
  return [
    correctedWrites === null
      ? 'No write of the last soak time would be a conflict after finalize.'
      : describeCorrectedWrites(rollout, correctedWrites),
    ...(correctedWrites?.statements.map((statement) => `A conflict after finalize: ${statement}`) ?? []),
  ]
}

async function runFinalize(run: RunContext): Promise<RunOutcome> {
  const { rollout, database } = run
  await run.failpoint('finalize.begun')
  const table = requireTable(await run.readFacts())
  // A statement outside a transaction waits for older transactions without blocking writes; transactions set a lock_timeout.
  const withoutTimeouts = { statementTimeoutMs: 0, lockTimeoutMs: 0 }
  const sql = database.engine({ purpose: 'finalize', ...withoutTimeouts })
  try {
    run.setStep('creating the index')
    await ensureIndex(run, sql, table)
    run.setStep('creating the constraint')
    await ensureConstraint(run, sql)
    if (rollout.file.constraint === 'notNull' && table.discriminator?.notNull === false) await setNotNull(run, sql)
    await run.failpoint('finalize.not-null')
    run.setStep('gathering statistics')
    await assertClaimHeld(run)
    await runNonTransactional(run, sql, 'gathering statistics', `analyze ${rollout.table.sql}`)
    await run.failpoint('finalize.analyzed')
    run.setStep('enabling reverse sync of the dual-write trigger')
    await enableReverseSync(run, sql)
    const missing = await findMissingSteps(database.state, rollout, requireTable(await run.readFacts()))
    if (missing.length > 0)
      throw new OperationFailedError('finalize', `Still missing: ${missing.join(', ')}. Finalize again.`)
    return { outcome: 'succeeded', result: { index: indexName(rollout), constraint: rollout.file.constraint } }
  } catch (error) {
    throw await toFinalizeError(run, error)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Explains errors that a person must fix; other errors are returned unchanged. */
async function toFinalizeError({ rollout, database }: RunContext, error: unknown): Promise<unknown> {
  if (errorCode(error) === '23514') {
    const sentence = `A row violates the constraint: ${errorMessage(error)}. Run a validation to find it.`
    return new OperationFailedError('finalize', sentence)
  }
  if (errorCode(error) !== '42501') return error
  const [role] = await database.state<{ grant: string }[]>`
    select format('GRANT CREATE ON SCHEMA %I TO %I', ${rollout.table.schema}::text, current_user) as grant`
  const sentence = `${errorMessage(error)}. The agent’s role must own the table and have the CREATE privilege on its schema: run ${role!.grant}, then finalize again.`
  return new OperationFailedError('finalize', sentence)
}
