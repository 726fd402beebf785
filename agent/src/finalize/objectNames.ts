import { createHash } from 'node:crypto'
import type { Rollout } from '../rollout/rollout.ts'

/** Name of our index or constraint: readable, within PostgreSQL's 63 bytes, and the same each time. */
function objectName(rollout: Rollout, suffix: string): string {
  const fullName = `sti_${rollout.table.name}_${rollout.discriminator.column}_${suffix}`
  if (Buffer.byteLength(fullName) <= 63) return fullName
  return `sti_${createHash('sha256').update(fullName).digest('hex').slice(0, 16)}_${suffix}`
}

export const indexName = (rollout: Rollout): string => objectName(rollout, 'idx')
export const constraintName = (rollout: Rollout): string => objectName(rollout, 'check')

/** The index of one partition: partitions of other tables may stand in the same schema, so their oid tells them apart. */
export const partitionIndexName = (rollout: Rollout, oid: number): string => objectName(rollout, `${oid}_idx`)
