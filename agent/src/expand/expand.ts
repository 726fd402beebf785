import { runDdl, type ReversibleChange } from '../ddl/transactional.ts'
import { applicationFunctionAdvice, errorCode, classifyError, errorMessage } from '../database/errors.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { RolloutFacts, Prefill } from '../kind/facts.ts'
import type { OperationDefinition, RunOutcome, RunContext } from '../kind/kind.ts'
import { requireTable } from '../kind/requireTable.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import { fixResolutionSql, resolutionNotes } from '../rollout/resolutionStore.ts'
import { cannotRaise } from '../rollout/cannotRaise.ts'
import { inspectRights, type PreparationFinding } from '../rollout/preparation.ts'
import type { Table } from '../rollout/rollout.ts'
import { typeOnlyInsertNotes } from '../rollout/typeOnlyInserts.ts'
import { collectNodeConflicts } from '../dualWrite/nodeConflicts.ts'
import { reverseSyncChange } from '../dualWrite/reverseSync.ts'
import { deriveFunctionChange, dualWriteTriggerChanges, dualWriteTriggerNames } from '../dualWrite/deriveTrigger.ts'
import { cachedPlanNotes } from '../statements/cachedPlans.ts'
import { addColumnChange } from './addColumn.ts'
import { trialWriteSql } from './trialWrite.ts'
import { inspectRows, requireNoRowRefusal } from './rowRefusals.ts'
import { recordOriginSql } from './recordOrigin.ts'
import { recordOrphansSql } from './recordOrphans.ts'
import { choosePrefill, prefillNotes } from './prefill.ts'
import { expandRefusals, hadReverseSync, meanwhileNotes, untestedTriggerNotes, needsPrefill } from './expandRefusals.ts'

export const expand: OperationDefinition<'expand'> = {
  kind: 'expand',
  refusals: expandRefusals,
  async preview({ database, rollout, table, facts }) {
    // A table that does not match its rollout file cannot be sampled.
    const choice =
      facts.faults.length === 0 && needsPrefill(facts) ? await choosePrefill(database, rollout, table) : null
    const { refusals, notes } = await inspectRows(database, facts, table)
    const rights = await inspectRights(database.state, rollout, table)
    return {
      reasons: refusals.map(({ text }) => text),
      rows: 0,
      estimatedSeconds: 1,
      estimatedWalBytes: 16_384,
      statements: [
        ...supersededChanges(facts).map((change) => change.inverse),
        ...requiredChanges(facts, table, choice?.prefill ?? null).map((change) => change.statement),
      ],
      notes: [
        ...resolutionNotes(rollout),
        ...laterStepNotes(rights),
        ...(choice === null ? [] : [choice.sentence]),
        ...(choice?.prefill ? await prefillNotes(database, rollout) : []),
        'Takes an ACCESS EXCLUSIVE lock for a few milliseconds. Each attempt waits at most 100 ms for the lock, then retries.',
        ...(table.discriminator === null
          ? await cachedPlanNotes(database.state, rollout, table, 'the column is added')
          : ['The column exists already, so no prepared statement fails.']),
        ...(rollout.file.dualWrite === 'trigger'
          ? ['From then on, every write to this table derives the type and overwrites the value that the write set.']
          : []),
        ...notes,
        ...typeOnlyInsertNotes(rollout, table),
        ...meanwhileNotes(rollout, table),
        ...untestedTriggerNotes(table),
        ...facts.undeclaredTriggers,
      ],
    }
  },
  run: runExpand,
}

/** What a later step lacks, by its name; the soak time would pass before anybody met it. */
function laterStepNotes(findings: readonly PreparationFinding[]): string[] {
  return findings.map(({ step, refused, text }) => `${refused ? `Later, ${step} would be refused: ` : ''}${text}`)
}

async function runExpand(run: RunContext): Promise<RunOutcome> {
  const { rollout, database } = run
  await run.failpoint('expand.begun')
  const facts = await run.readFacts()
  // The transaction had committed before a crash.
  if (facts.expanded) return { outcome: 'succeeded', result: { prefill: facts.activePrefill } }
  const table = requireTable(facts)
  requireNoRowRefusal((await inspectRows(database, facts, table)).refusals)
  await run.failpoint('expand.looked')
  run.setStep('looking for the most common type')
  const choice = needsPrefill(facts) ? await choosePrefill(database, rollout, table) : null
  if (choice !== null) await run.recordEvent('prefill', choice.sentence, { after: choice.prefill })
  const prefill = choice?.prefill ?? null
  const notes = laterStepNotes(await inspectRights(database.state, rollout, table))
  const origin =
    facts.changes.length === 0 ? [await recordOriginSql(run, table), await recordOrphansSql(run, table)] : []
  const sql = database.engine({ purpose: 'expand' })
  try {
    // Before the trigger needs them: a write of a moment later is counted on its node.
    await collectNodeConflicts(database.state, rollout, table)
    run.setStep('adding the column and its trigger')
    const [replaced, changes] = [supersededChanges(facts), requiredChanges(facts, table, prefill)]
    const trialSql = trialWriteSql(rollout, table)
    await runDdl(run, sql, {
      description: 'adding the column and its trigger',
      steps: [
        ...(rollout.resolution === null ? [] : [fixResolutionSql(rollout, rollout.resolution)]),
        ...trialSql.before,
        ...origin,
        ...replaced.map((change) => change.inverse),
        ...markRevertedSql(run, replaced, changes),
        ...changes,
        ...trialSql.after,
      ],
    })
    const statements = changes.map((change) => change.statement)
    await run.recordEvent('ddl', 'The column, its function, and its trigger exist', {
      before: replaced.map((change) => change.statement),
      after: statements,
    })
    await run.failpoint('expand.told')
    return { outcome: 'succeeded', result: { statements, prefill, notes } }
  } catch (error) {
    throw toExpandError(error)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/**
 * If finalize had enabled reverse sync and the trigger was removed since, it is created with reverse sync: without it, the
 * trigger would undo types that new code writes.
 */
function requiredChanges(facts: RolloutFacts, table: Table, prefill: Prefill | null): ReversibleChange[] {
  const { rollout } = facts
  return [
    ...(table.discriminator === null ? [addColumnChange(rollout, prefill)] : []),
    ...(rollout.file.dualWrite === 'trigger'
      ? [deriveFunctionChange(rollout, cannotRaise(rollout, table), table), ...dualWriteTriggerChanges(rollout, table)]
      : []),
    ...(rollout.file.dualWrite === 'trigger' && hadReverseSync(facts) ? [reverseSyncChange(rollout, table)] : []),
  ]
}

/**
 * Changes of an earlier rollout file that must be reverted: a constraint with other types would fail the application's
 * writes under the new trigger (finalize creates it again), and so would a trigger that the file no longer requires. A
 * trigger that stays would also keep a rollback from dropping its function.
 */
function supersededChanges({ rollout, changes, table }: RolloutFacts): RolloutFacts['changes'] {
  const usesTrigger = rollout.file.dualWrite === 'trigger'
  const required = usesTrigger && table !== null ? dualWriteTriggerNames(rollout, table) : []
  const requiredObjects = required.map((name) => `${name} on ${rollout.table.sql}`)
  const kinds = ['constraint', 'not-null', 'restore', ...(usesTrigger ? [] : ['function'])]
  return changes
    .filter(({ kind, object }) => kinds.includes(kind) || (kind === 'trigger' && !requiredObjects.includes(object)))
    .reverse()
}

/** Marks superseded changes and older versions of `changes` as reverted: the inverse of a new version undoes both. */
function markRevertedSql(
  { rollout, operation }: RunContext,
  replaced: RolloutFacts['changes'],
  changes: readonly ReversibleChange[],
): string[] {
  const objects = [...replaced, ...changes].map((change) => quoteLiteral(change.object))
  if (objects.length === 0) return []
  return [
    `update sti.change set reverted_at = clock_timestamp(), reverted_by = ${operation.id}
      where rollout = ${quoteLiteral(rollout.name)} and object in (${objects.join(', ')}) and reverted_at is null`,
  ]
}

/** Explains an error of PostgreSQL or of an application trigger; other errors are returned unchanged. */
function toExpandError(error: unknown): unknown {
  const code = errorCode(error)
  const isServerError = code !== null && /^[0-9A-Z]{5}$/.test(code)
  if (!isServerError || !['row', 'permanent'].includes(classifyError(error))) return error
  const advice =
    applicationFunctionAdvice(error) ??
    (code === '42501'
      ? 'The agent’s role must own the table and have the CREATE privilege on the database. Grant it'
      : 'Fix the cause')
  return new OperationFailedError(
    'expand',
    `Expand failed and changed nothing: ${errorMessage(error)} (${code}). ${advice}, then expand again.`,
  )
}
