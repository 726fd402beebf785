import { createHash } from 'node:crypto'
import type { RolloutFile } from '../rollout/file.ts'

/** Hash of what the file says of where signals are read: with another one a signal of the same name is another one. */
export function sourcesHash({ api, host, signals }: Pick<RolloutFile, 'api' | 'host' | 'signals'>): string {
  return createHash('sha256')
    .update(canonical({ api: api ?? null, host, signals }))
    .digest('hex')
}

/** SHA-256 of a value, whatever the order of its keys. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex')
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner === null || typeof inner !== 'object' || Array.isArray(inner)
      ? inner
      : Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))),
  )
}
