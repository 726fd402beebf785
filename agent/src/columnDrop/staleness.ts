import type { ColumnDropSummary, RolloutFacts } from '../kind/facts.ts'

/** A prepared drop that is older than this no longer describes the current state. */
const MAX_AGE_DAYS = 14

/** The reason why a prepared drop is no longer valid; null if it is valid. */
export function stalenessReason(
  last: Pick<ColumnDropSummary, 'at' | 'derivationHash' | 'archived'>,
  facts: Pick<RolloutFacts, 'rollout' | 'flag' | 'lastWriteEndedAt' | 'failedRows' | 'archive'>,
): string | null {
  if (last.derivationHash !== facts.rollout.derivationHash) return 'the rollout file derives differently'
  if (facts.flag.changedAt !== null && facts.flag.changedAt > last.at) return 'the flag has changed'
  if (facts.lastWriteEndedAt !== null && facts.lastWriteEndedAt > last.at)
    return 'a backfill or rollback has written the table'
  if (last.archived && facts.archive?.there !== true) return 'its archive was removed'
  if (facts.failedRows > 0) return 'there are failed rows'
  if (Date.now() - Date.parse(last.at) > MAX_AGE_DAYS * 86_400_000) return `it is older than ${MAX_AGE_DAYS} days`
  return null
}
