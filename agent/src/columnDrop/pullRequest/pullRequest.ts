import type {
  ColumnDropCheck,
  ColumnDropFile,
  ColumnDropParameters,
  ColumnDropPullRequest,
} from '../../contract/index.ts'
import type { Facts } from '../../engine/facts.ts'
import type { ArchiveManifest } from '../archive/manifest.ts'
import type { Proof } from '../proof/proof.ts'
import { bodyOf } from './body.ts'

/** All that the text of a pull request is made from. */
export interface PullRequestParts {
  readonly facts: Facts
  readonly environment: string
  readonly operationId: number
  readonly at: Date
  readonly parameters: ColumnDropParameters
  readonly checks: readonly ColumnDropCheck[]
  readonly files: readonly ColumnDropFile[]
  readonly down: boolean
  readonly archive: ArchiveManifest | null
  readonly proof: Proof | null
  /** What a reviewer has to know of the migration; one sentence each. */
  readonly notes: readonly string[]
}

export const LABEL = 'do-not-merge'

/** Branch, title, body and files; nothing is written anywhere. */
export function pullRequestOf(parts: PullRequestParts): ColumnDropPullRequest {
  const { rollout } = parts.facts
  const columns = rollout.legacyColumns.join(', ')
  return {
    branch: `sti/drop-legacy-columns-of-${slug(rollout.name)}-${parts.operationId}`,
    title: `[Do Not Merge] Drop the legacy columns ${columns} of ${rollout.table.schema}.${rollout.table.name}`.slice(
      0,
      250,
    ),
    body: bodyOf(parts),
    labels: [LABEL],
    files: [...parts.files],
    url: null,
  }
}

const slug = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, '-')
