import type { Operation } from '../contract/index.ts'

/** An operation that does not write the table, and so may run beside one that does. */
export function runsConcurrently({ kind, parameters }: Pick<Operation, 'kind' | 'parameters'>): boolean {
  if (kind === 'rollback') return parameters['scope'] === 'monitoring'
  return ['validation', 'baseline', 'monitoring', 'rehearsal', 'flag'].includes(kind)
}
