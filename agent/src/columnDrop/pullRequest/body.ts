import { formatQuantity, formatCount, formatDuration, formatPercent } from '../../format/format.ts'
import { allowsColumnDrop, type ColumnDropCheck, type Verdict } from '../../contract/index.ts'
import { lossless } from '../checks/lossless.ts'
import { escapeMarkdown, markdownCode, markdownTable } from '../../format/markdown.ts'
import { renderStarStatements } from './starStatements.ts'
import { trialLines } from './trialLines.ts'
import type { PullRequestInput } from './pullRequestInput.ts'

const VERDICT_TEXT: Readonly<Record<Verdict, string>> = {
  pass: 'pass',
  fail: '**fail**',
  inconclusive: '**inconclusive**',
  error: '**error**',
}

/** Renders the pull request's body, with everything that a reviewer needs to decide. */
export function renderBody(parts: PullRequestInput): string {
  return [
    warningBanner(parts),
    summaryTable(parts),
    section('Safety checks', safetyChecksSection(parts)),
    section('Validation evidence', validationSection(parts)),
    section('Archived data', archiveSection(parts)),
    section('Trial on a copy', trialSection(parts)),
    section('Locks and duration', locksSection(parts)),
    section('Statements with `*`', renderStarStatements(parts)),
    section('How to run the migration', stepsSection(parts)),
    section('Rollback', rollbackSection(parts)),
    section('What to monitor', monitoringSection(parts)),
    section('Before you merge', reviewChecklist(parts)),
  ].join('\n\n')
}

const section = (title: string, text: string): string => `## ${title}\n\n${text}`

function warningBanner({ checks, parameters }: PullRequestInput): string {
  const open = checks.filter((check) => !allowsColumnDrop(check)).length
  const draft = parameters.safetyChecks
    ? ''
    : `\n> **This is a draft**: it was prepared without requiring its safety checks, and ${open === 0 ? 'all of them pass' : `${open} of ${checks.length} do not pass`}. Prepare it again with \`--safety-checks\` before the review.`
  return `> **Do Not Merge** before every box at the end is checked. Reverting a commit does not undo dropping a column.${draft}`
}

function summaryTable({ facts, environment, at, operationId, files }: PullRequestInput): string {
  const { rollout } = facts
  return `Drops ${rollout.legacyColumns.map(markdownCode).join(', ')} of ${markdownCode(`${rollout.table.schema}.${rollout.table.name}`)}; ${markdownCode(rollout.discriminator.column)} replaces them: the flag ${markdownCode(rollout.file.flag.key)} is at ${facts.flag.percentage}%.

${markdownTable(
  ['', ''],
  [
    ['Rollout', escapeMarkdown(rollout.name)],
    ['Environment', escapeMarkdown(environment)],
    ['Prepared', `${at.toISOString()}, operation ${operationId}`],
    ['Rollout file', `SHA-256 ${rollout.hash}`],
    ['Files', files.map(({ path }) => markdownCode(path)).join('<br>')],
  ],
)}`
}

function safetyChecksSection({ checks }: PullRequestInput): string {
  return markdownTable(
    ['verdict', 'check', 'evidence'],
    checks.map((check) => [
      `${VERDICT_TEXT[check.verdict]}${check.accepted.length > 0 && allowsColumnDrop(check) ? '<br>accepted' : ''}`,
      `${check.check}<br>${escapeMarkdown(check.question)}`,
      `${escapeMarkdown(check.evidence)}${findingsList(check)}${acceptedList(check)}`,
    ]),
  )
}

const MAX_FINDINGS_SHOWN = 10

function findingsList({ verdict, findings }: ColumnDropCheck): string {
  if (verdict === 'pass' || findings.length < 2) return ''
  const more = findings.length > MAX_FINDINGS_SHOWN ? [`${findings.length - MAX_FINDINGS_SHOWN} more`] : []
  return `<ul>${[...findings.slice(0, MAX_FINDINGS_SHOWN).map(escapeMarkdown), ...more].map((line) => `<li>${line}</li>`).join('')}</ul>`
}

/** The acceptances by an admin, which a reviewer must know. */
function acceptedList({ accepted }: ColumnDropCheck): string {
  if (accepted.length === 0) return ''
  return `<ul>${accepted
    .map(
      ({ subject, reason, by, expiresAt }) =>
        `<li>${escapeMarkdown(`Accepted by ${by} until ${expiresAt}: ${subject}. Reason: ${reason}`)}</li>`,
    )
    .join('')}</ul>`
}

function validationSection({ facts }: PullRequestInput): string {
  const last = facts.validation
  if (last === null) return 'No validation has run.'
  return `Validation ${last.id} of ${last.startedAt}: **${last.verdict}**, ${formatQuantity(last.totalRows ?? 0, 'row')}, coverage ${last.coverage === null ? 'unknown' : formatPercent(last.coverage)}${last.checksum === null ? '' : `, checksum \`${last.checksum}\``}.

${markdownTable(
  ['Layer', 'Verdict', 'Required', 'Detail'],
  last.layers.map(({ layer, verdict, required, detail }) => [
    layer,
    VERDICT_TEXT[verdict],
    required ? 'yes' : 'no',
    escapeMarkdown(detail),
  ]),
)}

Complete report, signed if the agent has a key: ${markdownCode(`sti validate --generate-report --format json --rollout ${facts.rollout.name}`)}.`
}

/** What the columns hold beyond the type, and who accepted that. */
function lossSentence({ checks }: PullRequestInput): string {
  const finding = checks.find(({ check }) => check === lossless.name)
  return finding === undefined ? '' : `Content: ${escapeMarkdown(finding.evidence)}.\n\n`
}

function archiveSection(input: PullRequestInput): string {
  const { archive } = input
  if (archive === null)
    return `${lossSentence(input)}Nothing is archived yet, and the migration refuses to run without an archive (\`sti prepare-column-drop --safety-checks\`).`
  const { relation, columns, completedAt, verified, exported } = archive
  const rows: [string, string][] = [
    ['Columns', columns.map(({ name, type }) => escapeMarkdown(`${name} ${type}`)).join('<br>')],
    ['Complete since', completedAt ?? 'not yet'],
    [
      'Compared',
      verified === null
        ? 'not yet'
        : `${verified.at}: ${formatQuantity(verified.rows, 'row')}, ${formatCount(verified.differing)} different`,
    ],
    ['Checksum', verified === null ? 'not yet' : `\`${verified.checksum}\``],
    [
      'Exported',
      exported === null
        ? 'no'
        : `${escapeMarkdown(exported.path)}, ${formatQuantity(exported.rows, 'row')}, SHA-256 ${exported.sha256}`,
    ],
  ]
  return `${lossSentence(input)}${markdownCode(relation)} holds the key and the legacy columns of every row. Triggers keep it up to date until the drop, which refuses to run if it differs from the table. The rollback restores the columns from it. It remains until someone removes it.

${markdownTable(['', ''], rows)}`
}

function trialSection({ trial, parameters }: PullRequestInput): string {
  if (trial === null)
    return parameters.validateData
      ? 'The trial did not run.'
      : 'The trial was not requested (`--validate-data`), so this migration has never run.'
  return `${trial.passed ? 'Up and down ran, with checks after each,' : '**The trial failed**'} on a copy of the schema with a sample of the data:

${trialLines(trial)
  .map((line) => `- ${escapeMarkdown(line)}`)
  .join('\n')}`
}

function locksSection({ facts, trial, notes }: PullRequestInput): string {
  const rows = Math.round(facts.table?.estimatedRows ?? 0)
  const [up, down] =
    trial?.up == null
      ? [Math.max(1, rows / 1_000_000), Math.max(1, rows / 50_000)]
      : [trial.estimated.upLockedSeconds, trial.estimated.downLockedSeconds]
  const basis =
    trial?.up == null ? 'assumed rates, not measured' : `extrapolated from ${formatQuantity(trial.rows, 'row')}`
  return `- For ${formatQuantity(rows, 'row')}, up locks the table for about ${formatDuration(Math.max(0.1, up))}, and down for about ${formatDuration(Math.max(0.1, down))} (${basis}).
${notes.map((note) => `- ${escapeMarkdown(note)}`).join('\n')}
- The up migration does not rewrite the table. PostgreSQL frees the columns’ space as rows are rewritten.
- Sessions with a prepared \`SELECT *\` get “cached plan must not change result type” once. Sessions that called a function that returns rows of the table get “attribute … of type record has been dropped” until they reconnect. Make connection pools reconnect right after the migration.`
}

function stepsSection({ files }: PullRequestInput): string {
  return `1. On the day of the drop, prepare it again and compare: \`sti prepare-column-drop --validate-data --generate-pr --include-rollback --safety-checks\`. The files must be identical except for their date.
2. Take a backup, and verify that it can be restored.
3. Merge, and run the migration with the tool that runs all of your migrations: ${files[0] === undefined ? 'the migration' : markdownCode(files[0].path)}. The agent never runs it.
4. Check that \`sti status\` shows the stage \`dropped\` and the rollback.`
}

function rollbackSection({ down, facts }: PullRequestInput): string {
  if (!down)
    return 'The drop was prepared without a rollback (`--include-rollback`). **Only a backup can restore the columns and their data.**'
  return `1. Run the down migration. It restores columns, types, defaults, constraints, indexes, comments, and privileges, then the data from the archive. Rows written after the drop get the values that \`restore\` in the rollout file sets for their ${markdownCode(facts.rollout.discriminator.column)}. The column order is not restored: the columns are the last of the table.
2. Run \`sti expand\`, \`sti validate\`, and \`sti finalize\`, which check and complete the dual-write trigger.
3. Only then may you run old code or turn the flag off.

Until step 1 has finished, turning the flag off makes the application read dropped columns.`
}

function monitoringSection({ facts }: PullRequestInput): string {
  const { limits } = facts.rollout.file
  return `Watch the dashboard **STI Rollout Monitoring** for an hour after the migration:

- API Performance Monitor: error ratio at most ${formatPercent(limits.errorRatio)}, p95 at most ${formatPercent(limits.apiLatencyIncrease)} above the baseline. \`42703\` (undefined column) in the application’s log points to code that still uses the columns.
- Database Health Checker: lock waits return to zero within seconds.
- Error Rate Tracker: no new SQLSTATE.
- Replication lag, and the logs of logical subscribers.`
}

function reviewChecklist({ facts, checks }: PullRequestInput): string {
  const { contacts, soak } = facts.rollout.file
  const signers =
    contacts.length > 0
      ? contacts.map(({ role, name }) => `${role} (${name})`)
      : ['Technical Lead', 'Database Administrator']
  const open = checks.filter((check) => !allowsColumnDrop(check))
  const accepted = checks.filter((check) => allowsColumnDrop(check) && check.accepted.length > 0)
  const boxes = [
    `Safety checks: all ${checks.length} pass, and the drop was prepared with \`--safety-checks\`${open.length > 0 ? ` (currently not passing: ${open.map(({ check }) => check).join(', ')})` : ''}`,
    ...accepted.map(
      ({ check, accepted: subjects }) =>
        `${check}: ${subjects.length} accepted ${subjects.length === 1 ? 'subject was' : 'subjects were'} read, and the reasons hold`,
    ),
    'Validation evidence: reviewed, from this environment, and covers all relevant layers',
    `Soak time of ${formatDuration(soak)} at 100% is over, and the flag is removed from the application`,
    'Migration: reviewed line by line, up and down',
    'Rollback: tested on a copy, and its duration is known',
    'Backup: less than a day old, and a restore was tested',
    'Lock time: its effect on the application is acceptable at the chosen time',
    'Monitoring: someone watches for an hour after the migration',
    'Jobs, reports, exports, and consoles outside of the application do not use the columns',
    ...signers.map((who) => `Sign-off: ${escapeMarkdown(who)}`),
  ]
  return boxes.map((box) => `- [ ] ${box}`).join('\n')
}
