import { runDdl, type ReversibleChange } from '../ddl/transactional.ts'
import { errorCode, classifyError, errorMessage } from '../database/errors.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { RolloutFacts, Prefill } from '../kind/facts.ts'
import type { OperationDefinition, RunOutcome, RunContext } from '../kind/kind.ts'
import { requireTable } from '../kind/requireTable.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import { cannotRaise } from '../rollout/cannotRaise.ts'
import type { Table } from '../rollout/rollout.ts'
import { reverseSyncChange } from '../dualWrite/reverseSync.ts'
import { deriveFunctionChange, deriveTriggerChange } from '../dualWrite/deriveTrigger.ts'
import { addColumnChange } from './addColumn.ts'
import { trialWriteSql } from './trialWrite.ts'
import { requireEmptyColumn } from './requireEmptyColumn.ts'
import { recordOriginSql } from './recordOrigin.ts'
import { choosePrefill, prefillNotes } from './prefill.ts'
import { expandRefusals, hadReverseSync, untestedTriggerNotes, needsPrefill } from './expandRefusals.ts'

export const expand: OperationDefinition<'expand'> = {
  kind: 'expand',
  refusals: expandRefusals,
  async preview({ database, rollout, table, facts }) {
    // A file that does not fit its table could not be sampled.
    const choice =
      facts.faults.length === 0 && needsPrefill(facts) ? await choosePrefill(database, rollout, table) : null
    return {
      rows: 0,
      estimatedSeconds: 1,
      estimatedWalBytes: 16_384,
      statements: [
        ...supersededChanges(facts).map((change) => change.inverse),
        ...requiredChanges(facts, table, choice?.prefill ?? null).map((one) => one.statement),
      ],
      notes: [
        ...(choice === null ? [] : [choice.sentence]),
        ...(choice?.prefill ? await prefillNotes(database, rollout) : []),
        'Takes an ACCESS EXCLUSIVE lock for some milliseconds, waits at most 100 ms for it, and tries again.',
        'Sessions with a prepared "SELECT *" on this table get "cached plan must not change result type" once.',
        ...(rollout.file.dualWrite === 'trigger'
          ? ['From then on each write of this table derives the type, whatever it wrote there itself.']
          : []),
        ...untestedTriggerNotes(table),
        ...facts.undeclaredTriggers,
      ],
    }
  },
  run: runExpand,
}

async function runExpand(run: RunContext): Promise<RunOutcome> {
  const { rollout, database } = run
  await run.failpoint('expand.begun')
  const facts = await run.readFacts()
  // Asked again after a crash: the transaction had committed.
  if (facts.expanded) return { outcome: 'succeeded', result: { prefill: facts.activePrefill } }
  const table = requireTable(facts)
  // What it holds after an expand of ours was derived by us, also when a file of before did it.
  if (table.discriminator !== null && facts.changes.length === 0) await requireEmptyColumn(run, table)
  await run.failpoint('expand.looked')
  run.setStep('looking for the commonest type')
  const choice = needsPrefill(facts) ? await choosePrefill(database, rollout, table) : null
  if (choice !== null) await run.recordEvent('prefill', choice.sentence, { after: choice.prefill })
  const prefill = choice?.prefill ?? null
  const origin = facts.changes.length === 0 ? [await recordOriginSql(run, table)] : []
  const sql = database.engine({ purpose: 'expand', searchPath: rollout.searchPath })
  try {
    run.setStep('adding the column and its trigger')
    const [replaced, changes] = [supersededChanges(facts), requiredChanges(facts, table, prefill)]
    const trialSql = trialWriteSql(rollout, table)
    await runDdl(run, sql, {
      description: 'adding the column and its trigger',
      steps: [
        ...trialSql.before,
        ...origin,
        ...replaced.map((change) => change.inverse),
        ...markRevertedSql(run, replaced, changes),
        ...changes,
        ...trialSql.after,
      ],
    })
    const statements = changes.map((change) => change.statement)
    await run.recordEvent('ddl', 'column, function and trigger are there', {
      before: replaced.map((change) => change.statement),
      after: statements,
    })
    await run.failpoint('expand.told')
    return { outcome: 'succeeded', result: { statements, prefill } }
  } catch (error) {
    throw toExpandError(error)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/**
 * Where the trigger served both ways and somebody took it away, it comes back so: without, it would take back what new
 * code writes to the type.
 */
function requiredChanges(facts: RolloutFacts, table: Table, prefill: Prefill | null): ReversibleChange[] {
  const { rollout } = facts
  return [
    ...(table.discriminator === null ? [addColumnChange(rollout, prefill)] : []),
    ...(rollout.file.dualWrite === 'trigger'
      ? [
          deriveFunctionChange(rollout, cannotRaise(rollout, table)),
          deriveTriggerChange(rollout, cannotRaise(rollout, table)),
        ]
      : []),
    ...(rollout.file.dualWrite === 'trigger' && hadReverseSync(facts) ? [reverseSyncChange(rollout, table)] : []),
  ]
}

/**
 * What an earlier file left that this one must not keep: a constraint that knows other types would fail the
 * application's writes under the new trigger (finalize makes it again), and a trigger that is no longer wanted.
 */
function supersededChanges({ rollout, changes }: RolloutFacts): RolloutFacts['changes'] {
  const kinds = [
    'constraint',
    'not-null',
    'restore',
    ...(rollout.file.dualWrite === 'application' ? ['trigger', 'function'] : []),
  ]
  return changes.filter((change) => kinds.includes(change.kind)).reverse()
}

/** Those, and older versions of what is made anew, no longer count: the inverse of the new one serves both. */
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

/** One sentence for what PostgreSQL or a trigger of the application refused; other errors as they are. */
function toExpandError(error: unknown): unknown {
  const code = errorCode(error)
  const isServerError = code !== null && /^[0-9A-Z]{5}$/.test(code)
  if (!isServerError || !['row', 'permanent'].includes(classifyError(error))) return error
  const triggerContext = (error as { where?: string }).where
    ?.split('\n')
    .find((line) => /function (?!inline_code_block)/i.test(line))
  const advice =
    triggerContext !== undefined
      ? `It was raised in ${triggerContext.trim()} when one row was written on trial: mend it so that it bears one more column, then expand again.`
      : code === '42501'
        ? 'The agent’s role must own the table and be allowed to CREATE in the database.'
        : 'Mend what it names, then expand again.'
  return new OperationFailedError('expand', `Everything was taken back: ${errorMessage(error)} (${code}). ${advice}`)
}
