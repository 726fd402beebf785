import type { ColumnDropSummary, RolloutFacts } from '../kind/facts.ts'

/** What was prepared longer ago than this says too little of today. */
const MAX_AGE_DAYS = 14

/** Why what was prepared does not hold any more; null: it does. */
export function stalenessReason(
  last: Pick<ColumnDropSummary, 'at' | 'fileHash' | 'archived'>,
  facts: Pick<RolloutFacts, 'rollout' | 'flag' | 'lastWriteEndedAt' | 'failedRows' | 'archive'>,
): string | null {
  if (last.fileHash !== facts.rollout.hash) return 'the rollout file has changed since'
  if (facts.flag.changedAt !== null && facts.flag.changedAt > last.at) return 'the flag was changed since'
  if (facts.lastWriteEndedAt !== null && facts.lastWriteEndedAt > last.at)
    return 'a backfill or a rollback has written the table since'
  if (last.archived && facts.archive?.there !== true) return 'its archive was removed'
  if (facts.failedRows > 0) return 'there are failed rows'
  if (Date.now() - Date.parse(last.at) > MAX_AGE_DAYS * 86_400_000) return `it is older than ${MAX_AGE_DAYS} days`
  return null
}
