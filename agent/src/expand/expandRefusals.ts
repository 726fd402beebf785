import type { RolloutFacts } from '../kind/facts.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { columnLimitRefusal } from '../rollout/rowWidth.ts'
import { dualWriteColumns } from '../dualWrite/columnShape.ts'
import { laterTriggerRefusals } from '../rollout/laterTriggers.ts'

/** Reasons why the column and its trigger must not be added. */
export function expandRefusals(facts: RolloutFacts): string[] {
  return [
    ...facts.faults,
    ...(facts.expanded
      ? [`The column and its trigger already exist on ${facts.rollout.table.sql}. Start the backfill.`]
      : []),
    ...columnLimitRefusals(facts),
    ...existingColumnRefusals(facts),
    ...prefillRefusals(facts),
    ...reverseSyncRefusals(facts),
    ...laterTriggerRefusals(facts.table),
  ]
}

function columnLimitRefusals({ rollout, table }: RolloutFacts): string[] {
  const refusal = table && columnLimitRefusal(rollout, table)
  return refusal === null ? [] : [refusal]
}

/** True if finalize has enabled reverse sync for this rollout file, and STI has not reverted it. */
export function hadReverseSync({ rollout, changes }: RolloutFacts): boolean {
  return changes.some((change) => change.kind === 'restore' && change.statement.includes(rollout.derivationHash))
}

/** Until finalize, the trigger of a changed file only derives: it would undo types that new code writes. */
function reverseSyncRefusals(facts: RolloutFacts): string[] {
  const hadAnyReverseSync = facts.changes.some((change) => change.kind === 'restore')
  return facts.flag.enabled && hadAnyReverseSync && !hadReverseSync(facts)
    ? [
        'The flag is on, and the trigger of a changed rollout file would undo the types that new code writes. Turn the flag off.',
      ]
    : []
}

/** Only a column that expand adds can be prefilled; the backfill writes a column that exists. */
export function needsPrefill({ rollout, table }: RolloutFacts): boolean {
  return rollout.file.prefill === 'majority' && table !== null && table.discriminator === null
}

/** Between a prefill and the end of the backfill, rows hold a wrong type: clients must not read by type. */
function prefillRefusals(facts: RolloutFacts): string[] {
  if (!needsPrefill(facts)) return []
  const readers = facts.flag.clients.filter((client) => client.stale).map((client) => client.client)
  return [
    ...(facts.flag.enabled ? ['The flag is on. Turn it off before the column is prefilled.'] : []),
    ...(readers.length > 0
      ? [
          `These clients may still read by type: ${readers.join(', ')}. Wait until they have evaluated the flag, or accept each of them by name.`,
        ]
      : []),
  ]
}

/** What the application must not do until the rollout ends. Its writes work all the same (dualWrite/columnShape.ts). */
export function meanwhileNotes(rollout: Rollout, table: Table): string[] {
  if (rollout.file.dualWrite !== 'trigger') return []
  const columns = dualWriteColumns(rollout).join(', ')
  return [
    `Until the rollout ends, do not rename, retype, or drop ${columns}, and do not replace or swap the table. Writes would still work, but the type would no longer follow. PostgreSQL refuses to retype or drop a column that the WHEN clause of the trigger reads.`,
    ...(table.partitioned
      ? [
          `From then on, a table that is attached as a partition needs the column ${rollout.discriminator.sql} ${rollout.discriminator.dataType}, and after finalize its CHECK constraint: create it with PARTITION OF, or with (LIKE ${rollout.table.sql} INCLUDING DEFAULTS INCLUDING CONSTRAINTS).`,
        ]
      : []),
  ]
}

/** Notes about triggers that the trial write of expand does not fire. */
export function untestedTriggerNotes(table: Table): string[] {
  return table.triggers
    .filter(
      (trigger) =>
        trigger.forEachRow && !trigger.onUpdate && !trigger.internal && !trigger.ours && trigger.enabled !== 'disabled',
    )
    .map(
      ({ name }) =>
        `Trigger ${name} does not fire on UPDATE, so it is not tested. Make sure that its function supports one more column (no "select new.*").`,
    )
}

/** The rollout file check covers its type and generated columns. */
function existingColumnRefusals({ table, changes }: RolloutFacts): string[] {
  const column = table?.discriminator
  if (column && table.citus !== null && changes.length === 0)
    return [
      `Column ${column.sql} exists already, and the data rollback could not clear it in shards of Citus. Drop it, or choose another column name.`,
    ]
  if (!column?.notNull || changes.some((change) => change.kind === 'not-null')) return []
  return [`Column ${column.sql} is already NOT NULL. Drop that constraint or choose another column name.`]
}
