import { demandClaim, runAlone } from '../engine/concurrently.ts'
import { codeOf, messageOf, OperationFailure } from '../engine/errors.ts'
import type { Kind, Outcome, Run } from '../engine/kind.ts'
import { secondsOf, shown, timeFor } from '../engine/measured.ts'
import { ours } from '../engine/ours.ts'
import { demandTable } from '../engine/table.ts'
import { cannotRaise } from '../rollout/raise.ts'
import { restoreFunction } from '../dualWrite/bothWays.ts'
import { addConstraint, makeConstraint, setNotNull } from './constraint.ts'
import { createIndex, makeIndex } from './index.ts'
import { indexName } from './names.ts'
import { finalizeMissing } from './verify.ts'
import { makeBothWays } from './bothWays.ts'

/** Rows per second for index and constraint that a preview assumes before anything was measured here. */
const ASSUMED_RATE = 500_000

export const finalize: Kind = {
  kind: 'finalize',
  writesTable: true,
  refusals(facts) {
    const { rollout, table } = facts
    const wantsNotNull = rollout.file.constraint === 'notNull' && table !== null
    return [
      ...facts.faults,
      ...(facts.stage === 'covered' || (facts.flag.enabled && !facts.verified)
        ? ['Coverage is not verified: run a validation first.']
        : []),
      ...(['new', 'expanded', 'backfilling'].includes(facts.stage)
        ? ['The backfill has not ended: run it, then a validation.']
        : []),
      ...(facts.stage === 'rolled-back' ? ['The rollout is rolled back: run a validation first.'] : []),
      ...(wantsNotNull && (rollout.mayBeUnmapped || !cannotRaise(rollout, table))
        ? [
            'constraint: notNull needs `otherwise` and conditions of columns, constants and comparisons only: else a write of the application could fail.',
          ]
        : []),
    ]
  },
  async preview({ rollout, table, facts }) {
    const last = facts.succeeded.findLast((one) => one.kind === 'finalize')
    const took = secondsOf(last)
    const { notes, ...time } =
      took === null
        ? timeFor(table.estimatedRows, null, { does: 'reads', perSecond: ASSUMED_RATE })
        : { estimatedSeconds: took, estimateBasis: `finalize ${last!.id}, which took ${shown(took)}`, notes: [] }
    return {
      ...time,
      rows: 0,
      statements: [
        createIndex(rollout, rollout.table.sql, table.partitioned).statement,
        addConstraint(rollout).statement,
        `analyze ${rollout.table.sql}`,
        ...(rollout.file.dualWrite === 'trigger' ? [restoreFunction(rollout, table).statement] : []),
      ],
      notes: [
        ...notes,
        facts.finalizeMissing.length === 0
          ? 'Everything is there already.'
          : `Missing: ${facts.finalizeMissing.join(', ')}.`,
        table.partitioned
          ? 'The index is made CONCURRENTLY partition by partition, then for all of them at once, which is instant.'
          : 'The index is made CONCURRENTLY and the constraint is validated without blocking writes.',
      ],
    }
  },
  run: runFinalize,
}

async function runFinalize(run: Run): Promise<Outcome> {
  const { rollout, database } = run
  await run.reached('finalize.begun')
  const table = demandTable(await run.facts())
  // What runs alone waits for older transactions, and no write waits behind it; transactions have a lock_timeout of their own.
  const unhurried = { statementTimeoutMs: 0, lockTimeoutMs: 0 }
  const sql = database.engine({ purpose: 'finalize', searchPath: rollout.searchPath, ...unhurried })
  try {
    run.step('making the index')
    await makeIndex(run, sql, table)
    run.step('making the constraint')
    await makeConstraint(run, sql)
    if (rollout.file.constraint === 'notNull' && table.discriminator?.notNull === false) await setNotNull(run, sql)
    await run.reached('finalize.not-null')
    run.step('gathering statistics')
    await demandClaim(run)
    await runAlone(run, sql, 'gathering statistics', ours(`analyze ${rollout.table.sql}`))
    await run.reached('finalize.analyzed')
    run.step('giving the dual-write trigger its way back')
    await makeBothWays(run, sql)
    const missing = await finalizeMissing(database.state, rollout, demandTable(await run.facts()))
    if (missing.length > 0)
      throw new OperationFailure('finalize', `Still missing: ${missing.join(', ')}. Finalize again.`)
    return { outcome: 'succeeded', result: { index: indexName(rollout), constraint: rollout.file.constraint } }
  } catch (error) {
    throw await explained(run, error)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** One sentence for what a person has to mend; other errors as they are. */
async function explained({ rollout, database }: Run, error: unknown): Promise<unknown> {
  if (codeOf(error) === '23514') {
    const sentence = `A row does not hold what the constraint asks: ${messageOf(error)}. Run a validation.`
    return new OperationFailure('finalize', sentence)
  }
  if (codeOf(error) !== '42501') return error
  const [role] = await database.state<{ grant: string }[]>`
    select format('GRANT CREATE ON SCHEMA %I TO %I', ${rollout.table.schema}::text, current_user) as grant`
  const sentence = `${messageOf(error)}: the agent’s role must own the table and be allowed to make an index in its schema (${role!.grant}), then finalize again.`
  return new OperationFailure('finalize', sentence)
}
