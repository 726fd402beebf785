import type { Rollout, Table } from '../rollout/rollout.ts'
import { canonicalHash } from '../signature/canonicalJson.ts'

/**
 * SHA-256 of what a rehearsal depends on in the structure of a table: columns, key, constraints, triggers
 * with the text of their functions, rules and indexes, without what is ours. Rows, statistics and partitions are no part of it.
 */
export function structureHash(rollout: Rollout, table: Table): string {
  const { column } = rollout.discriminator
  const columns = table.columns
    .filter(({ name }) => name !== column)
    .map(({ name, type, notNull, generated, identity, default: given }) => [
      ...[name, type, notNull, generated, identity, given],
    ])
  const triggers = table.triggers
    .filter(({ name, internal, ours }) => !internal && !ours && !name.startsWith('~sti_'))
    .map((one) => [
      one.name,
      one.timing,
      one.onInsert,
      one.onUpdate,
      one.updateOf,
      one.forEachRow,
      one.enabled,
      one.digest,
    ])
  const indexes = table.secondaryIndexes.filter((definition) => !/ INDEX (ONLY )?"?sti_/.test(definition)).toSorted()
  const constraints = table.constraints.filter(({ name }) => !name.startsWith('sti_'))
  const key = table.key.map(({ name, type }) => [name, type])
  const rules = [...table.updateRules].toSorted()
  const byName = triggers.toSorted((a, b) => String(a[0]).localeCompare(String(b[0])))
  return canonicalHash([table.partitioned, columns, key, byName, rules, indexes, constraints])
}
