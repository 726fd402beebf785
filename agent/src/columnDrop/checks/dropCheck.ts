import type { Verdict } from '../../contract/index.ts'
import type { Database, Sql } from '../../database/connect.ts'
import type { RolloutFacts } from '../../kind/facts.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import type { LegacyCatalog } from '../catalog/legacyCatalog.ts'
import type { ColumnLookup, ColumnUseTarget } from '../sql/columnUseTarget.ts'

/** One question before a column drop. A new one is a file with one of these and a line in the list. */
export interface DropCheck {
  /** Stable: pages, reports and the pull request name it. */
  readonly name: string
  readonly question: string
  /** What it throws becomes the verdict `error`; only a database that is away stops all of them. */
  run(context: DropCheckContext): Promise<DropFinding>
}

export interface DropFinding {
  readonly verdict: Verdict
  /** One sentence without its full stop. Of one that does not pass: what has to be done. */
  readonly evidence: string
  readonly findings?: readonly string[]
  /**
   * What the check cannot decide, a name for each: an admin can accept them with a reason, and the check does not block
   * once all of them are accepted. A name stays the same as long as its object does. Absent: nothing can be accepted.
   */
  readonly acceptable?: readonly string[]
}

export interface DropCheckContext {
  readonly database: Database
  /** Read-only, with a time-out. */
  readonly sql: Sql
  readonly rollout: Rollout
  readonly table: Table
  readonly facts: RolloutFacts
  readonly catalog: LegacyCatalog
  /** The table as statements may name it, and the columns of all other relations. */
  readonly target: ColumnUseTarget
  readonly columnsOf: ColumnLookup
  /** Milliseconds since 1970, by the database's clock. */
  readonly now: number
}

/** `3 rows`, `1 row`. */
export const formatCount = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** The start of the soak time that ends now, as ISO 8601. */
export const soakStartedAt = ({ now, rollout }: Pick<DropCheckContext, 'now' | 'rollout'>): string =>
  new Date(now - rollout.file.soak * 1000).toISOString()

/** `7 d`, `12 h`, `90 s` */
export function formatDuration(seconds: number): string {
  if (seconds >= 2 * 86_400) return `${Math.floor(seconds / 86_400)} d`
  if (seconds >= 2 * 3_600) return `${Math.floor(seconds / 3_600)} h`
  if (seconds >= 120) return `${Math.floor(seconds / 60)} min`
  return `${Math.floor(seconds)} s`
}

/**
 * What a watch that began at `since` still lacks of the soak time, as a finding; null: nothing.
 */
export function soakShortfall(
  context: Pick<DropCheckContext, 'now' | 'rollout'>,
  since: string | null,
  restartReason: string | null = null,
): DropFinding | null {
  const { soak } = context.rollout.file
  if (since === null)
    return {
      verdict: 'inconclusive',
      evidence: 'nobody has watched yet: the agent does while the flag is at 100 %, and has to for the soak time',
    }
  const watchedSeconds = (context.now - Date.parse(since)) / 1000
  if (watchedSeconds >= soak) return null
  return {
    verdict: 'inconclusive',
    evidence: `it is watched since ${since} only${restartReason === null ? '' : ` (${restartReason})`}: wait another ${formatDuration(Math.max(1, soak - watchedSeconds))}, the soak time is ${formatDuration(soak)}`,
  }
}
