import type { Rollout, Table } from '../rollout/rollout.ts'
import { canonicalHash } from '../signature/canonicalJson.ts'

/**
 * SHA-256 of the table structure that a rehearsal depends on: columns, key, constraints, triggers with the text of their
 * functions, rules and indexes, without objects created by STI. Rows, statistics and partitions are not included.
 */
export function structureHash(rollout: Rollout, table: Table): string {
  const { column } = rollout.discriminator
  const columns = table.columns
    .filter(({ name }) => name !== column)
    .map(({ name, type, notNull, generated, identity, default: defaultSql }) => [
      ...[name, type, notNull, generated, identity, defaultSql],
    ])
  const triggers = table.triggers
    .filter(({ name, internal, ours }) => !internal && !ours && !name.startsWith('~sti_'))
    .map((trigger) => [
      trigger.name,
      trigger.timing,
      trigger.onInsert,
      trigger.onUpdate,
      trigger.updateOf,
      trigger.forEachRow,
      trigger.enabled,
      trigger.digest,
    ])
  const indexes = table.secondaryIndexes.filter((definition) => !/ INDEX (ONLY )?"?sti_/.test(definition)).toSorted()
  const constraints = table.constraints.filter(({ name }) => !name.startsWith('sti_'))
  const key = table.key.map(({ name, type }) => [name, type])
  const rules = [...table.updateRules].toSorted()
  const byName = triggers.toSorted((a, b) => String(a[0]).localeCompare(String(b[0])))
  return canonicalHash([table.partitioned, columns, key, byName, rules, indexes, constraints])
}
