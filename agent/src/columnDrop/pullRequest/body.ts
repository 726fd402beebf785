import { allowsColumnDrop, type ColumnDropCheck, type Verdict } from '../../contract/index.ts'
import { formatDuration } from '../checks/dropCheck.ts'
import { escapeMarkdown, markdownCode, markdownTable } from '../../format/markdown.ts'
import { trialLines } from './trialLines.ts'
import type { PullRequestInput } from './pullRequestInput.ts'

const VERDICT_TEXT: Readonly<Record<Verdict, string>> = {
  pass: 'pass',
  fail: '**fail**',
  inconclusive: '**inconclusive**',
  error: '**error**',
}

/** The text that gives a reviewer everything needed to decide. */
export function renderBody(parts: PullRequestInput): string {
  return [
    warningBanner(parts),
    summaryTable(parts),
    section('Safety checks', safetyChecksSection(parts)),
    section('Validation evidence', validationSection(parts)),
    section('The data that goes', archiveSection(parts)),
    section('Trial on a copy', trialSection(parts)),
    section('Locks and time', locksSection(parts)),
    section('How it is run', stepsSection(parts)),
    section('The way back', rollbackSection(parts)),
    section('What to watch', monitoringSection(parts)),
    section('Before it is merged', reviewChecklist(parts)),
  ].join('\n\n')
}

const section = (title: string, text: string): string => `## ${title}\n\n${text}`

function warningBanner({ checks, parameters }: PullRequestInput): string {
  const open = checks.filter((check) => !allowsColumnDrop(check)).length
  const draft = parameters.safetyChecks
    ? ''
    : `\n> **This is a draft**: it was not held to its safety checks, and ${open === 0 ? 'all of them pass' : `${open} of ${checks.length} do not pass`}. Prepare it again with \`--safety-checks\` before it is reviewed.`
  return `> **Do Not Merge** before every box at the end is ticked. Dropping a column cannot be undone by reverting a commit.${draft}`
}

function summaryTable({ facts, environment, at, operationId, files }: PullRequestInput): string {
  const { rollout } = facts
  return `Drops ${rollout.legacyColumns.map(markdownCode).join(', ')} of ${markdownCode(`${rollout.table.schema}.${rollout.table.name}`)}; ${markdownCode(rollout.discriminator.column)} says it all since the flag ${markdownCode(rollout.file.flag.key)} is at ${facts.flag.percentage} %.

${markdownTable(
  ['', ''],
  [
    ['rollout', escapeMarkdown(rollout.name)],
    ['environment', escapeMarkdown(environment)],
    ['prepared', `${at.toISOString()}, operation ${operationId}`],
    ['rollout file', `SHA-256 ${rollout.hash}`],
    ['files', files.map(({ path }) => markdownCode(path)).join('<br>')],
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

/** What an admin accepted of a check that cannot decide: a reviewer must know of it. */
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
  if (last === null) return 'No validation has been run.'
  return `Validation ${last.id} of ${last.startedAt}: **${last.verdict}**, ${last.totalRows ?? 0} rows, coverage ${last.coverage === null ? 'not counted' : `${Math.floor(last.coverage * 10_000) / 100} %`}${last.checksum === null ? '' : `, checksum \`${last.checksum}\``}.

${markdownTable(
  ['layer', 'verdict', 'required', 'detail'],
  last.layers.map(({ layer, verdict, required, detail }) => [
    layer,
    VERDICT_TEXT[verdict],
    required ? 'yes' : 'no',
    escapeMarkdown(detail),
  ]),
)}

The whole of it, signed where the agent has a key: ${markdownCode(`sti validate --generate-report --format json --rollout ${facts.rollout.name}`)}.`
}

function archiveSection({ archive }: PullRequestInput): string {
  if (archive === null)
    return 'Nothing has been archived yet: the migration refuses to run until it is (`sti prepare-column-drop --safety-checks`).'
  const { relation, columns, completedAt, verified, exported } = archive
  const rows: [string, string][] = [
    ['columns', columns.map(({ name, type }) => escapeMarkdown(`${name} ${type}`)).join('<br>')],
    ['complete since', completedAt ?? 'not yet'],
    [
      'compared',
      verified === null ? 'not yet' : `${verified.at}: ${verified.rows} rows, ${verified.differing} differing`,
    ],
    ['checksum', verified === null ? 'not yet' : `\`${verified.checksum}\``],
    [
      'exported',
      exported === null ? 'no' : `${escapeMarkdown(exported.path)}, ${exported.rows} rows, SHA-256 ${exported.sha256}`,
    ],
  ]
  return `Key and legacy columns of every row are kept in ${markdownCode(relation)}, kept true by triggers until the drop, which refuses to run unless they are equal. It stays until somebody removes it; it is what the way back restores from.

${markdownTable(['', ''], rows)}`
}

function trialSection({ trial, parameters }: PullRequestInput): string {
  if (trial === null)
    return parameters.validateData
      ? 'It was not run.'
      : 'It was not asked for (`--validate-data`): nobody has seen this migration run.'
  return `${trial.passed ? 'Up, checks, down and checks again ran' : '**It failed**'} on a copy of the schema with a sample of the data:

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
  const basis = trial?.up == null ? 'assumed, not measured' : `measured on ${trial.rows} rows`
  return `- For ${rows} rows the table is locked for about ${Math.max(0.1, up).toFixed(1)} s by up and ${Math.max(0.1, down).toFixed(1)} s by down (${basis}).
${notes.map((note) => `- ${escapeMarkdown(note)}`).join('\n')}
- The space of the columns comes back as rows are rewritten; no table rewrite is part of this.
- Sessions with prepared \`SELECT *\` get “cached plan must not change result type” once; those that called a function which returns rows of the table get “attribute … of type record has been dropped” until they connect anew. Let pools connect anew right after it.`
}

function stepsSection({ files }: PullRequestInput): string {
  return `1. On the day, prepare it again and compare: \`sti prepare-column-drop --validate-data --generate-pr --include-rollback --safety-checks\`. The files must be the same but for their date.
2. Take a backup, and see that it can be restored.
3. Merge, and run it with the tool that runs all migrations: ${files[0] === undefined ? 'the migration' : markdownCode(files[0].path)}. The agent never runs it.
4. \`sti status\` then says \`dropped\`, with its restore as the way back.`
}

function rollbackSection({ down, facts }: PullRequestInput): string {
  if (!down)
    return 'It was prepared without one (`--include-rollback`). **Without it the columns and their data come back from a backup only.**'
  return `1. Run the migration down: it brings back columns, types, defaults, constraints, indexes, comments and privileges, then the data from the archive; rows written since get what their ${markdownCode(facts.rollout.discriminator.column)} says (\`restore\` of the rollout file). The order of columns is not brought back: they come last.
2. \`sti expand\`, \`sti validate\`, \`sti finalize\`: the dual-write trigger is there again.
3. Only then may old code run, or the flag go off.

Until step 1 has run, turning the flag off makes old code read columns that are gone.`
}

function monitoringSection({ facts }: PullRequestInput): string {
  const { limits } = facts.rollout.file
  return `The dashboard **STI Rollout Monitoring**, for an hour after it ran:

- API Performance Monitor: error ratio at most ${limits.errorRatio * 100} %, p95 at most ${limits.apiLatencyIncrease * 100} % over the baseline. \`42703\` (undefined column) in the application’s log is the sign of code that was missed.
- Database Health Checker: lock waits back to zero within seconds.
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
    `Safety checks: all ${checks.length} pass, and the pull request was prepared with \`--safety-checks\`${open.length > 0 ? ` (now ${open.map(({ check }) => check).join(', ')} do not)` : ''}`,
    ...accepted.map(
      ({ check, accepted: subjects }) =>
        `${check}: ${subjects.length} accepted ${subjects.length === 1 ? 'subject was' : 'subjects were'} read, and the reasons hold`,
    ),
    'Validation evidence: read, of this environment, and of all layers that matter here',
    `Soak time of ${formatDuration(soak)} at 100 % is over, and the flag is gone from the application`,
    'The migration was read line by line, up and down',
    'Rollback steps: run on a copy, and somebody knows how long they take',
    'Backup: taken, younger than a day, restored once',
    'Lock time and its effect on the application are acceptable at the hour that was chosen',
    'Monitoring: somebody watches for an hour after it ran',
    'Jobs, reports, exports and consoles outside of the application do not use the columns',
    ...signers.map((who) => `Sign-off: ${escapeMarkdown(who)}`),
  ]
  return boxes.map((box) => `- [ ] ${box}`).join('\n')
}
