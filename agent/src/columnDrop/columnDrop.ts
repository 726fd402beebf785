import { formatQuantity } from '../format/format.ts'
import { ColumnDropParameters } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinition } from '../kind/kind.ts'
import { cachedPlanNotes } from '../statements/cachedPlans.ts'
import { readLegacyCatalog } from './catalog/readLegacyCatalog.ts'
import { prepareColumnDrop, type ColumnDropDependencies } from './prepareColumnDrop.ts'

/**
 * Checks, archive, migration, trial, and pull request: everything except the drop, which the user's own migration
 * tool runs. A refused drop fails with the code `column-drop-refused`.
 */
export function createColumnDrop(dependencies: ColumnDropDependencies): OperationDefinition<'column-drop'> {
  return {
    kind: 'column-drop',
    // The archive creates triggers on the table.
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
          'Nothing is dropped: your own migration tool runs the statement below after the pull request is merged.',
          ...(safetyChecks
            ? [
                'The run is refused unless every safety check passes. It then copies the key and the legacy columns of every row to an archive table in schema sti. Triggers keep the archive up to date until the drop.',
              ]
            : [
                'This is a draft: it contains the results of the safety checks, nothing is archived, and it must not be merged.',
              ]),
          ...(openPullRequest
            ? [`A draft pull request is opened in ${dependencies.github!.owner}/${dependencies.github!.repository}.`]
            : []),
          ...(catalog.blocking.length > 0
            ? [
                `${formatQuantity(catalog.blocking.length, 'database object currently depends', 'database objects currently depend')} on the columns.`,
              ]
            : []),
          ...(await cachedPlanNotes(
            database.state,
            rollout,
            table,
            'the migration drops the columns, and again when its undo adds them',
          )),
          `Newest run: ${facts.columnDrop === null ? 'none' : `${facts.columnDrop.prepared ? 'prepared' : 'refused'} at ${facts.columnDrop.at}`}.`,
        ],
      }
    },
    run: (run) => prepareColumnDrop(run, dependencies),
  }
}

/** The archive rate that a preview assumes. */
const ARCHIVE_ROWS_PER_SECOND = 50_000

function columnDropRefusals(
  facts: RolloutFacts,
  { openPullRequest, exportArchive, safetyChecks }: ColumnDropParameters,
  { github, archiveFolder }: ColumnDropDependencies,
): string[] {
  if (facts.stage === 'dropped')
    return ['The legacy columns are already dropped. The down migration of the pull request restores them.']
  return [
    ...facts.faults,
    // A draft can be prepared for a rollout that was rolled back; the checks refuse everything else.
    ...(facts.expanded && facts.finalizeMissing.length === 0
      ? []
      : [
          `The rollout is ${facts.stage}: expand, backfill, validate, and finalize first, so that the type replaces the columns.`,
        ]),
    ...(openPullRequest && github === null
      ? [
          'The agent has no GitHub repository. Set STI_GITHUB_REPOSITORY and STI_GITHUB_TOKEN, or omit --open-pull-request.',
        ]
      : []),
    ...(exportArchive && archiveFolder === null
      ? ['The agent has no folder for archives. Set STI_ARCHIVE_FOLDER, or omit --export-archive.']
      : []),
    ...(exportArchive && !safetyChecks
      ? ['A draft has no archive to export. Add --safety-checks, or omit --export-archive.']
      : []),
  ]
}
