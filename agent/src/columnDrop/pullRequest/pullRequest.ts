import type {
  ColumnDropCheck,
  ColumnDropFile,
  ColumnDropParameters,
  ColumnDropPullRequest,
} from '../../contract/index.ts'
import type { RolloutFacts } from '../../kind/facts.ts'
import type { ArchiveManifest } from '../archive/manifest.ts'
import type { MigrationTrial } from '../trial/migrationTrial.ts'
import { renderBody } from './body.ts'

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

export const DO_NOT_MERGE_LABEL = 'do-not-merge'

/** Branch, title, body and files; nothing is written anywhere. */
export function buildPullRequest(parts: PullRequestInput): ColumnDropPullRequest {
  const { rollout } = parts.facts
  const columns = rollout.legacyColumns.join(', ')
  return {
    branch: `sti/drop-legacy-columns-of-${toSlug(rollout.name)}-${parts.operationId}`,
    title: `[Do Not Merge] Drop the legacy columns ${columns} of ${rollout.table.schema}.${rollout.table.name}`.slice(
      0,
      250,
    ),
    body: renderBody(parts),
    labels: [DO_NOT_MERGE_LABEL],
    files: [...parts.files],
    url: null,
  }
}

const toSlug = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, '-')
