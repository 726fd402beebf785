import { runDdl, type Change } from '../engine/ddl.ts'
import { codeOf, faultOf, messageOf, OperationFailure } from '../engine/errors.ts'
import type { Facts, Prefill } from '../engine/facts.ts'
import type { Kind, Outcome, Run } from '../engine/kind.ts'
import { demandTable } from '../engine/table.ts'
import { literal } from '../rollout/names.ts'
import { cannotRaise } from '../rollout/raise.ts'
import type { Table } from '../rollout/rollout.ts'
import { restoreFunction } from '../dualWrite/bothWays.ts'
import { deriveFunction, deriveTrigger } from '../dualWrite/trigger.ts'
import { addColumn } from './addColumn.ts'
import { trial } from './trial.ts'
import { refuseValues } from './existing.ts'
import { originOf } from './origin.ts'
import { choosePrefill, prefillNotes } from './prefill.ts'
import { expandRefusals, stoodBothWays, untried, wantsPrefill } from './refusals.ts'

export const expand: Kind = {
  kind: 'expand',
  writesTable: true,
  refusals: expandRefusals,
  async preview({ database, rollout, table, facts }) {
    // A file that does not fit its table could not be sampled.
    const choice =
      facts.faults.length === 0 && wantsPrefill(facts) ? await choosePrefill(database, rollout, table) : null
    return {
      rows: 0,
      estimatedSeconds: 1,
      estimatedWalBytes: 16_384,
      statements: [
        ...superseded(facts).map((change) => change.inverse),
        ...wanted(facts, table, choice?.prefill ?? null).map((one) => one.statement),
      ],
      notes: [
        ...(choice === null ? [] : [choice.sentence]),
        ...(choice?.prefill ? await prefillNotes(database, rollout) : []),
        'Takes an ACCESS EXCLUSIVE lock for some milliseconds, waits at most 100 ms for it, and tries again.',
        'Sessions with a prepared "SELECT *" on this table get "cached plan must not change result type" once.',
        ...(rollout.file.dualWrite === 'trigger'
          ? ['From then on each write of this table derives the type, whatever it wrote there itself.']
          : []),
        ...untried(table),
        ...facts.undeclaredTriggers,
      ],
    }
  },
  run: runExpand,
}

async function runExpand(run: Run): Promise<Outcome> {
  const { rollout, database } = run
  await run.reached('expand.begun')
  const facts = await run.facts()
  // Asked again after a crash: the transaction had committed.
  if (facts.expanded) return { outcome: 'succeeded', result: { prefill: facts.prefilled } }
  const table = demandTable(facts)
  // What it holds after an expand of ours was derived by us, also when a file of before did it.
  if (table.discriminator !== null && facts.changes.length === 0) await refuseValues(run, table)
  await run.reached('expand.looked')
  run.step('looking for the commonest type')
  const choice = wantsPrefill(facts) ? await choosePrefill(database, rollout, table) : null
  if (choice !== null) await run.event('prefill', choice.sentence, { after: choice.prefill })
  const prefill = choice?.prefill ?? null
  const origin = facts.changes.length === 0 ? [await originOf(run, table)] : []
  const sql = database.engine({ purpose: 'expand', searchPath: rollout.searchPath })
  try {
    run.step('adding the column and its trigger')
    const [old, changes] = [superseded(facts), wanted(facts, table, prefill)]
    const write = trial(rollout, table)
    await runDdl(run, sql, {
      what: 'adding the column and its trigger',
      steps: [
        ...write.before,
        ...origin,
        ...old.map((change) => change.inverse),
        ...forget(run, old, changes),
        ...changes,
        ...write.after,
      ],
    })
    const statements = changes.map((change) => change.statement)
    await run.event('ddl', 'column, function and trigger are there', {
      before: old.map((change) => change.statement),
      after: statements,
    })
    await run.reached('expand.told')
    return { outcome: 'succeeded', result: { statements, prefill } }
  } catch (error) {
    throw explained(error)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/**
 * Where the trigger served both ways and somebody took it away, it comes back so: without, it would take back what new
 * code writes to the type.
 */
function wanted(facts: Facts, table: Table, prefill: Prefill | null): Change[] {
  const { rollout } = facts
  return [
    ...(table.discriminator === null ? [addColumn(rollout, prefill)] : []),
    ...(rollout.file.dualWrite === 'trigger'
      ? [deriveFunction(rollout, cannotRaise(rollout, table)), deriveTrigger(rollout, cannotRaise(rollout, table))]
      : []),
    ...(rollout.file.dualWrite === 'trigger' && stoodBothWays(facts) ? [restoreFunction(rollout, table)] : []),
  ]
}

/**
 * What an earlier file left that this one must not keep: a constraint that knows other types would fail the
 * application's writes under the new trigger (finalize makes it again), and a trigger that is no longer wanted.
 */
function superseded({ rollout, changes }: Facts): Facts['changes'] {
  const kinds = [
    'constraint',
    'not-null',
    'restore',
    ...(rollout.file.dualWrite === 'application' ? ['trigger', 'function'] : []),
  ]
  return changes.filter((change) => kinds.includes(change.kind)).reverse()
}

/** Those, and older versions of what is made anew, no longer count: the inverse of the new one serves both. */
function forget({ rollout, operation }: Run, old: Facts['changes'], changes: readonly Change[]): string[] {
  const objects = [...old, ...changes].map((change) => literal(change.object))
  if (objects.length === 0) return []
  return [
    `update sti.change set reverted_at = clock_timestamp(), reverted_by = ${operation.id}
      where rollout = ${literal(rollout.name)} and object in (${objects.join(', ')}) and reverted_at is null`,
  ]
}

/** One sentence for what PostgreSQL or a trigger of the application refused; other errors as they are. */
function explained(error: unknown): unknown {
  const code = codeOf(error)
  const ofServer = code !== null && /^[0-9A-Z]{5}$/.test(code)
  if (!ofServer || !['row', 'fail'].includes(faultOf(error))) return error
  const where = (error as { where?: string }).where
    ?.split('\n')
    .find((line) => /function (?!inline_code_block)/i.test(line))
  const advice =
    where !== undefined
      ? `It was raised in ${where.trim()} when one row was written on trial: mend it so that it bears one more column, then expand again.`
      : code === '42501'
        ? 'The agent’s role must own the table and be allowed to CREATE in the database.'
        : 'Mend what it names, then expand again.'
  return new OperationFailure('expand', `Everything was taken back: ${messageOf(error)} (${code}). ${advice}`)
}
