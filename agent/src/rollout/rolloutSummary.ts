import type { Rollout } from './rollout.ts'

/** What a rollout file says, one line for each thing, for a terminal. */
export function summarizeRollout(rollout: Rollout): string[] {
  const { file, discriminator } = rollout
  const restoreText = (type: string): string => {
    const restore = rollout.restoreValues(type)
    return restore === null ? 'not restored' : [...restore].map(([column, sql]) => `${column} = ${sql}`).join(', ')
  }
  return [
    `${rollout.name}: ${rollout.table.sql} gets ${discriminator.sql} ${discriminator.dataType}, from ${rollout.legacyColumns.join(', ')}`,
    ...file.types.map((type) => `${type.name} when ${type.when}; back: ${restoreText(type.name)}`),
    file.otherwise
      ? `${file.otherwise.name} otherwise; back: ${restoreText(file.otherwise.name)}`
      : 'otherwise a failed row',
    `flag ${file.flag.key}, in steps of ${file.flag.ramp.join(', ')} %`,
    `rolled back without a person: ${file.automaticRollback.join(', ') || 'nothing'}`,
  ]
}
