import type { ColumnDropCheck, ColumnDropFile, ColumnDropParameters } from '../../contract/index.ts'
import type { RolloutFacts } from '../../kind/facts.ts'
import type { ArchiveManifest } from '../archive/manifest.ts'
import type { WholeTableStatement } from '../../statements/cachedPlans.ts'
import type { MigrationTrial } from '../trial/migrationTrial.ts'

/** The input for the text of a pull request. */
export interface PullRequestInput {
  readonly facts: RolloutFacts
  readonly environment: string
  readonly operationId: number
  readonly at: Date
  readonly parameters: ColumnDropParameters
  readonly checks: readonly ColumnDropCheck[]
  readonly files: readonly ColumnDropFile[]
  readonly down: boolean
  readonly archive: ArchiveManifest | null
  readonly trial: MigrationTrial | null
  /** The application's statements that return `*` of the table; null: pg_stat_statements cannot be read. */
  readonly wholeTableStatements: readonly WholeTableStatement[] | null
  /** Notes for the reviewer, one sentence each. */
  readonly notes: readonly string[]
}
