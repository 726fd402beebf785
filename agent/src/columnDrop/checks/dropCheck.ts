import { formatDuration } from '../../format/format.ts'
import type { Verdict } from '../../contract/index.ts'
import type { Database, Sql } from '../../database/connect.ts'
import type { RolloutFacts } from '../../kind/facts.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import type { LegacyCatalog } from '../catalog/legacyCatalog.ts'
import type { ColumnLookup, ColumnUseTarget } from '../../statements/columnUseTarget.ts'

/** A safety check of a column drop. A new check is a file that exports one of these and a line in DROP_CHECKS. */
export interface DropCheck<Context = DropCheckContext> {
  /** Stable, since pages, reports, and the pull request use it. */
  readonly name: string
  readonly question: string
  /** An exception becomes the verdict `error`; only an unavailable database stops the run. */
  run(context: Context): Promise<DropFinding>
}

export interface DropFinding {
  readonly verdict: Verdict
  /** One sentence without a period. If the check does not pass, it also says what to do. */
  readonly evidence: string
  /** The evidence without the list of findings, for a place that prints one finding per line below it. */
  readonly summary?: string
  readonly findings?: readonly string[]
  /**
   * What the check cannot decide, a name for each: an admin can accept them with a reason, and the check does not block
   * once all of them are accepted. A name stays the same as long as its object does. Absent: nothing can be accepted.
   */
  readonly acceptable?: readonly string[]
}

/** All that a check needs whose answer is in the catalog: it can be known before anything of the rollout has begun. */
export interface TableContext {
  /** Read-only, with a time-out. */
  readonly sql: Sql
  readonly rollout: Rollout
  readonly table: Table
  readonly catalog: LegacyCatalog
  /** The names by which statements may refer to the table, and the columns of all other relations. */
  readonly target: ColumnUseTarget
  readonly columnsOf: ColumnLookup
}

export interface DropCheckContext extends TableContext {
  readonly database: Database
  readonly facts: RolloutFacts
  /** Milliseconds since 1970, by the database's clock. */
  readonly now: number
}

/** The start of a soak time that ends now, in ISO 8601. */
export const soakStartedAt = ({ now, rollout }: Pick<DropCheckContext, 'now' | 'rollout'>): string =>
  new Date(now - rollout.file.soak * 1000).toISOString()

/** A finding if a watch that started at `since` has not covered the soak time yet; otherwise null. */
export function soakShortfall(
  context: Pick<DropCheckContext, 'now' | 'rollout'>,
  since: string | null,
  restartReason: string | null = null,
): DropFinding | null {
  const { soak } = context.rollout.file
  if (since === null)
    return {
      verdict: 'inconclusive',
      evidence: 'the watch has not started: it runs while the flag is at 100% and has to cover the soak time',
    }
  const watchedSeconds = (context.now - Date.parse(since)) / 1000
  if (watchedSeconds >= soak) return null
  return {
    verdict: 'inconclusive',
    evidence: `the watch started at ${since}${restartReason === null ? '' : ` (${restartReason})`} and has not covered the soak time of ${formatDuration(soak)}: wait another ${formatDuration(Math.max(1, Math.ceil(soak - watchedSeconds)))}`,
  }
}
