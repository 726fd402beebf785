import { randomUUID } from 'node:crypto'
import type { FlagChange } from './flagStore.ts'

/** Printable ASCII, which every encoding of a database has, and short enough for an index. */
const ALWAYS_STORABLE = /^[\x20-\x7e]{0,200}$/

/** The change with only those texts that every database can store; what it does is the same. */
export function withoutTexts(change: FlagChange): FlagChange {
  return {
    ...change,
    actor: { ...change.actor, name: change.actor.name.replace(/[^\x20-\x7e]/g, '?').slice(0, 200) },
    agent: change.agent.replace(/[^\x20-\x7e]/g, '?').slice(0, 200),
    reason: null,
    parameters: withoutUnstorable(change.parameters) as Record<string, unknown>,
    idempotencyKey: ALWAYS_STORABLE.test(change.idempotencyKey) ? change.idempotencyKey : `off-${randomUUID()}`,
  }
}

/** Leaves out each text, and each member with a name, that is not certainly storable. */
function withoutUnstorable(value: unknown): unknown {
  if (typeof value === 'string') return ALWAYS_STORABLE.test(value) ? value : null
  if (Array.isArray(value)) return value.map(withoutUnstorable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => ALWAYS_STORABLE.test(name))
      .map(([name, inner]) => [name, withoutUnstorable(inner)]),
  )
}
