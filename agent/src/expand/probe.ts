import type { Rollout, Table } from '../rollout/rollout.ts'

/**
 * Writes one existing row as the application would, every column as it is, and takes it back: a trigger of the
 * application that copies whole rows (`select new.*`) would fail on every write from now on.
 */
export function probe(rollout: Rollout, table: Table): string[] {
  const key = table.key.map((column) => column.sql).join(', ')
  const itself = table.columns
    .filter(
      (column) => !column.generated && column.identity !== 'always' && column.name !== rollout.discriminator.column,
    )
    .map((column) => `${column.sql} = ${column.sql}`)
  return [
    'savepoint probe',
    // A trigger that skips our batches does not skip the application's writes.
    `set local "sti.engine" = 'off'`,
    'set constraints all immediate',
    `update ${rollout.table.sql} set ${[`${rollout.discriminator.sql} = null`, ...itself].join(', ')}
      where (${key}) in (select ${key} from ${rollout.table.sql} limit 1 for update skip locked)`,
    'rollback to savepoint probe',
  ]
}
