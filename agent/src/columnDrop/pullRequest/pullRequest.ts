import type { ColumnDropPullRequest } from '../../contract/index.ts'
import { toVisibleLine } from '../../format/visibleText.ts'
import { renderBody } from './body.ts'
import type { PullRequestInput } from './pullRequestInput.ts'

export const DO_NOT_MERGE_LABEL = 'do-not-merge'

/** Builds branch, title, body, and files without writing them anywhere. */
export function buildPullRequest(parts: PullRequestInput): ColumnDropPullRequest {
  const { rollout } = parts.facts
  const columns = rollout.legacyColumns.join(', ')
  return {
    branch: `sti/drop-legacy-columns-of-${toSlug(rollout.name)}-${parts.operationId}`,
    title: toVisibleLine(
      `[Do Not Merge] Drop the legacy columns ${columns} of ${rollout.table.schema}.${rollout.table.name}`,
    ).slice(0, 250),
    body: renderBody(parts),
    labels: [DO_NOT_MERGE_LABEL],
    files: [...parts.files],
    url: null,
  }
}

const toSlug = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, '-')
