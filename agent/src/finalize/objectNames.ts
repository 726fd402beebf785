import { createHash } from 'node:crypto'
import type { Rollout } from '../rollout/rollout.ts'

/** Stable name of an index or constraint created by STI, within PostgreSQL's limit of 63 bytes. */
function objectName(rollout: Rollout, suffix: string): string {
  const fullName = `sti_${rollout.table.name}_${rollout.discriminator.column}_${suffix}`
  if (Buffer.byteLength(fullName) <= 63) return fullName
  return `sti_${createHash('sha256').update(fullName).digest('hex').slice(0, 16)}_${suffix}`
}

export const indexName = (rollout: Rollout): string => objectName(rollout, 'idx')
export const constraintName = (rollout: Rollout): string => objectName(rollout, 'check')

/** Name of the index of a partition. Its OID makes the name unique, since partitions of several tables may share a schema. */
export const partitionIndexName = (rollout: Rollout, oid: number): string => objectName(rollout, `${oid}_idx`)
