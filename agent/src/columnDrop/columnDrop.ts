import { ColumnDropParameters } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinition } from '../kind/kind.ts'
import { readLegacyCatalog } from './catalog/readLegacyCatalog.ts'
import { prepareColumnDrop, type ColumnDropDependencies } from './prepareColumnDrop.ts'

/**
 * Checks, archive, migration, trial and pull request: all but the drop itself, which the user's own migration tool
 * runs. Refused or produced, it succeeds: its result says which.
 */
export function createColumnDrop(dependencies: ColumnDropDependencies): OperationDefinition<'column-drop'> {
  return {
    kind: 'column-drop',
    // The archive puts triggers on the table.
    refusals: (facts, parameters) => columnDropRefusals(facts, ColumnDropParameters.parse(parameters), dependencies),
    async preview({ database, rollout, table, facts }, parameters) {
      const { safetyChecks, openPullRequest } = ColumnDropParameters.parse(parameters)
      const catalog = await readLegacyCatalog(database, rollout, table)
      const rows = Math.round(table.estimatedRows ?? 0)
      return {
        rows: safetyChecks ? rows : 0,
        estimatedSeconds: safetyChecks ? Math.max(2, rows / ARCHIVE_ROWS_PER_SECOND) : 2,
        estimatedWalBytes: safetyChecks ? rows * 150 : 0,
        statements: [
          `alter table ${rollout.table.sql} ${rollout.legacyColumns.map((name) => `drop column ${JSON.stringify(name)}`).join(', ')}`,
        ],
        notes: [
          'Nothing is dropped: the statement below is run by your own migration tool, when the pull request is merged.',
          ...(safetyChecks
            ? [
                'Refused unless every safety check passes. Key and legacy columns of every row are then kept in a table of schema sti, true by triggers until the drop.',
              ]
            : ['A draft: what the safety checks find stands in it, nothing is archived, and it must not be merged.']),
          ...(openPullRequest
            ? [`A draft pull request is opened in ${dependencies.github!.owner}/${dependencies.github!.repository}.`]
            : []),
          ...(catalog.blocking.length > 0
            ? [`${catalog.blocking.length} objects of the database depend on the columns now.`]
            : []),
          `The newest run: ${facts.columnDrop === null ? 'none' : `${facts.columnDrop.prepared ? 'prepared' : 'refused'} at ${facts.columnDrop.at}`}.`,
        ],
      }
    },
    run: (run) => prepareColumnDrop(run, dependencies),
  }
}

/** Rows per second that a preview assumes. */
const ARCHIVE_ROWS_PER_SECOND = 50_000

function columnDropRefusals(
  facts: RolloutFacts,
  { openPullRequest, exportArchive, safetyChecks }: ColumnDropParameters,
  { github, archiveFolder }: ColumnDropDependencies,
): string[] {
  if (facts.stage === 'dropped')
    return ['The legacy columns are gone already: the migration down of the pull request brings them back.']
  return [
    ...facts.faults,
    // A rollout that was rolled back may be prepared as a draft; the checks refuse the rest.
    ...(facts.expanded && facts.finalizeMissing.length === 0
      ? []
      : [
          `The rollout is ${facts.stage}: expand, backfill, validate and finalize first; the columns can go once the type says it all.`,
        ]),
    ...(openPullRequest && github === null
      ? [
          'The agent knows no repository: set STI_GITHUB_REPOSITORY and STI_GITHUB_TOKEN, or leave --open-pull-request out.',
        ]
      : []),
    ...(exportArchive && archiveFolder === null
      ? ['The agent knows no folder for archives: set STI_ARCHIVE_FOLDER, or leave --export-archive out.']
      : []),
    ...(exportArchive && !safetyChecks
      ? ['A draft has no archive to export: ask for the safety checks as well (--safety-checks).']
      : []),
  ]
}
