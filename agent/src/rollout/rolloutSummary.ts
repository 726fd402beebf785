import type { Rollout } from './rollout.ts'

/** A summary of a rollout file, one line per fact. */
export function summarizeRollout(rollout: Rollout): string[] {
  const { file, discriminator } = rollout
  const restoreText = (type: string): string => {
    const restore = rollout.restoreValues(type)
    return restore === null ? 'not restored' : [...restore].map(([column, sql]) => `${column} = ${sql}`).join(', ')
  }
  return [
    `${rollout.name}: adds ${discriminator.sql} ${discriminator.dataType} to ${rollout.table.sql}, derived from ${rollout.legacyColumns.join(', ')}`,
    ...file.types.map((type) => `${type.name} when ${type.when}; restore: ${restoreText(type.name)}`),
    file.otherwise
      ? `${file.otherwise.name} otherwise; restore: ${restoreText(file.otherwise.name)}`
      : 'other rows are failed rows',
    `flag ${file.flag.key}, ramp ${file.flag.ramp.map((step) => `${step}%`).join(', ')}`,
    `automatic rollback: ${file.automaticRollback.join(', ') || 'nothing'}`,
  ]
}
