import type { ColumnDropCheck, ColumnDropFile, ColumnDropParameters } from '../../contract/index.ts'
import type { RolloutFacts } from '../../kind/facts.ts'
import type { ArchiveManifest } from '../archive/manifest.ts'
import type { MigrationTrial } from '../trial/migrationTrial.ts'

/** All that the text of a pull request is made from. */
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
  /** What a reviewer has to know of the migration; one sentence each. */
  readonly notes: readonly string[]
}
