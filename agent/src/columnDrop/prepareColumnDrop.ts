import {
  COLUMN_DROP_REFUSED,
  ColumnDropParameters,
  type ColumnDropCheck,
  type PreparedColumnDrop,
} from '../contract/index.ts'
import { formatQuantity } from '../format/format.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { RunOutcome, RunContext } from '../kind/kind.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import { requireTable } from '../kind/requireTable.ts'
import type { Table } from '../rollout/rollout.ts'
import { exportToFolder } from './archive/exportToFolder.ts'
import { runArchive, type VerifiedArchive } from './archive/runArchive.ts'
import type { ArchiveManifest } from './archive/manifest.ts'
import { archiveFault } from './archive/archiveFault.ts'
import type { LegacyCatalog } from './catalog/legacyCatalog.ts'
import { readLegacyCatalog } from './catalog/readLegacyCatalog.ts'
import { DROP_CHECKS } from './checks/dropChecks.ts'
import type { DropCheckContext } from './checks/dropCheck.ts'
import { toCheckResult, failureReasons, runDropCheck, worstVerdict } from './checks/runDropCheck.ts'
import { renderMigrationFiles } from './migration/migrationFiles.ts'
import { writeMigration } from './migration/writeMigration.ts'
import { runMigrationTrial, type MigrationTrial } from './trial/migrationTrial.ts'
import { openDraftPullRequest, type GithubConfig } from './pullRequest/github.ts'
import { trialLines } from './pullRequest/trialLines.ts'
import { buildPullRequest } from './pullRequest/pullRequest.ts'
import { readWholeTableStatements } from '../statements/cachedPlans.ts'
import { readColumnUseTarget } from '../statements/readColumnUseTarget.ts'
import { writeColumnDrop } from './store.ts'
import type { UsageWatch } from './watch/usageWatch.ts'

export interface ColumnDropDependencies {
  readonly environment: string
  /** Null: pull requests are generated but not opened. */
  readonly github: GithubConfig | null
  /** The folder that archives are exported to. Null: none is configured. */
  readonly archiveFolder: string | null
  readonly watch: UsageWatch
}

/** Prepares everything except the drop itself, and stores the outcome, also of a refusal. */
export async function prepareColumnDrop(run: RunContext, dependencies: ColumnDropDependencies): Promise<RunOutcome> {
  const parameters = ColumnDropParameters.parse(run.operation.parameters)
  const facts = await run.readFacts()
  const table = requireTable(facts)
  const catalog = await readLegacyCatalog(run.database, run.rollout, table)
  const checks = await runSafetyChecks(run, dependencies, facts, table, catalog)
  if (checks === null) return { outcome: 'stopped' }
  await run.recordEvent('column-drop', `safety checks: ${worstVerdict(checks)}`, {
    after: checks.map(({ check, verdict, evidence }) => ({ check, verdict, evidence })),
  })
  if (parameters.safetyChecks && worstVerdict(checks) !== 'pass') return await storeRefusal(run, parameters, checks)
  let archive: ArchiveManifest | null = null
  if (parameters.safetyChecks) {
    const started = performance.now()
    const verifiedArchive = await runArchive(run, table)
    if (verifiedArchive === null) return { outcome: 'stopped' }
    archive = verifiedArchive
    const archiveCheck = await checkArchiveComplete(run, table, verifiedArchive, started)
    checks.push(archiveCheck)
    if (archiveCheck.verdict !== 'pass') return await storeRefusal(run, parameters, checks)
  }
  if (archive !== null && parameters.exportArchive) {
    const exported = await exportToFolder(run, table, dependencies.archiveFolder!)
    if (exported === null) return { outcome: 'stopped' }
    archive = { ...archive, exported }
  }
  const trial = parameters.validateData ? await checkTrialOnCopy(run, table, catalog, checks) : null
  if (parameters.safetyChecks && worstVerdict(checks) !== 'pass')
    return await storeRefusal(run, parameters, checks, trial)
  return await produceColumnDrop(run, dependencies, { parameters, facts, table, catalog, checks, archive, trial })
}

async function runSafetyChecks(
  run: RunContext,
  dependencies: ColumnDropDependencies,
  facts: RolloutFacts,
  table: Table,
  catalog: LegacyCatalog,
): Promise<ColumnDropCheck[] | null> {
  const { database, rollout } = run
  const sql = database.engine({ purpose: 'column drop checks', readOnly: true })
  try {
    // The checks must cover everything up to now, not up to the last poll.
    await dependencies.watch.poll(facts)
    const [clock] = await sql<
      { now: number }[]
    >`select /* sti */ (extract(epoch from clock_timestamp()) * 1000)::float8 as now`
    const context: DropCheckContext = {
      database,
      sql,
      rollout,
      table,
      facts,
      catalog,
      now: clock!.now,
      ...(await readColumnUseTarget(sql, rollout, table)),
    }
    const checks: ColumnDropCheck[] = []
    for (const dropCheck of DROP_CHECKS) {
      if (run.directive() !== 'continue') return null
      run.setStep(`checking: ${dropCheck.name}`)
      checks.push(await runDropCheck(dropCheck, context))
    }
    return checks
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** The comparison of this run, and a check afterwards that the archive's triggers are intact. */
async function checkArchiveComplete(
  { database, rollout }: RunContext,
  table: Table,
  { relation, completedAt, verified }: VerifiedArchive,
  started: number,
): Promise<ColumnDropCheck> {
  const fault = await archiveFault(database.state, rollout, table)
  const faults = [
    ...(fault === null ? [] : [`${fault} Prepare the column drop again.`]),
    ...(completedAt === null ? ['The archive is incomplete. Prepare the column drop again.'] : []),
  ]
  const pass = faults.length === 0 && verified.differing === 0
  return toCheckResult(
    { name: 'archive-complete', question: 'Does the archive have every row, with the same values?' },
    {
      verdict: pass ? 'pass' : 'fail',
      evidence: pass
        ? `the table and the archive ${relation} have the same ${formatQuantity(verified.rows, 'row')}, checksum ${verified.checksum}, compared at ${verified.at}`
        : faults.join(' ').replace(/\.$/, ''),
      findings: faults,
    },
    started,
  )
}

/** Runs the migration up and down on a copy; the result is one more check. */
async function checkTrialOnCopy(
  run: RunContext,
  table: Table,
  catalog: LegacyCatalog,
  checks: ColumnDropCheck[],
): Promise<MigrationTrial> {
  const started = performance.now()
  const trial = await runMigrationTrial(
    run,
    table,
    catalog,
    Math.min(MAX_SAMPLE_ROWS, run.rollout.file.rehearsal.sample),
  )
  const failedChecks = trial.checks.filter((check) => !check.ok)
  checks.push(
    toCheckResult(
      { name: 'trial-on-copy', question: 'Do up and down run on a copy and restore everything?' },
      {
        verdict: trial.passed ? 'pass' : 'fail',
        evidence: trial.passed
          ? `up and down ran twice each on a copy with ${formatQuantity(trial.rows, 'row')}, with writes by new code in between, and everything was restored`
          : `${failedChecks.map(({ check, detail }) => `failed: ${check} (${detail})`).join('; ')}`,
        findings: trialLines(trial),
      },
      started,
    ),
  )
  return trial
}

/** The maximum number of rows in the copy. */
const MAX_SAMPLE_ROWS = 100_000

interface PreparationFindings {
  readonly parameters: ColumnDropParameters
  readonly facts: RolloutFacts
  readonly table: Table
  readonly catalog: LegacyCatalog
  readonly checks: ColumnDropCheck[]
  readonly archive: ArchiveManifest | null
  readonly trial: MigrationTrial | null
}

async function produceColumnDrop(
  run: RunContext,
  dependencies: ColumnDropDependencies,
  findings: PreparationFindings,
): Promise<RunOutcome> {
  const { parameters, facts, table, catalog, checks } = findings
  const { rollout, operation } = run
  run.setStep('writing the migration')
  const fullMigration = writeMigration({ rollout, table, catalog, changes: facts.changes })
  const written = parameters.includeRollback ? fullMigration : { ...fullMigration, down: MISSING_DOWN_SQL }
  const migration = { up: written.up, down: parameters.includeRollback ? written.down : null }
  const at = new Date()
  const { archive } = findings
  const files = renderMigrationFiles(written, rollout.file.migration, at)
  const pullRequest = !parameters.generatePullRequest
    ? null
    : buildPullRequest({
        facts,
        environment: dependencies.environment,
        operationId: Number(operation.id),
        at,
        parameters,
        checks,
        archive,
        trial: findings.trial,
        wholeTableStatements: await readWholeTableStatements(run.database.state, rollout, table),
        notes: written.notes,
        down: parameters.includeRollback,
        files: files.map(({ path, text }) => ({ path, language: path.endsWith('.sql') ? 'sql' : 'javascript', text })),
      })
  const columnDrop: ColumnDropOutcome = {
    parameters,
    checks,
    prepared: true,
    reasons: failureReasons(checks),
    migration,
    pullRequest,
    archive: archive && toJsonObject(archive),
    trial: findings.trial && toJsonObject(findings.trial),
  }
  const outcome = await storeColumnDrop(run, columnDrop)
  if (pullRequest === null || !parameters.openPullRequest || dependencies.github === null) return outcome
  // The prepared files are stored first, so that they are kept if the pull request cannot be opened.
  run.setStep('opening the pull request')
  const url = await openDraftPullRequest(dependencies.github, pullRequest)
  await run.recordEvent('column-drop', `draft pull request ${url}`)
  return await storeColumnDrop(run, { ...columnDrop, pullRequest: { ...pullRequest, url } })
}

/** The down migration for tools that require one, if the drop was prepared without an undo. */
const MISSING_DOWN_SQL = `do $$ begin
  raise exception 'this migration was prepared without an undo' using hint = 'Prepare it with an undo: sti prepare-column-drop --include-rollback.';
end $$;
`

/** Stores why the column drop is refused, and ends the operation as failed. */
async function storeRefusal(
  run: RunContext,
  parameters: ColumnDropParameters,
  checks: ColumnDropCheck[],
  trial: MigrationTrial | null = null,
): Promise<never> {
  const emptyOutputs = { migration: null, pullRequest: null, archive: null, trial: trial && toJsonObject(trial) }
  const reasons = failureReasons(checks)
  await storeColumnDrop(run, { parameters, checks, prepared: false, reasons, ...emptyOutputs })
  throw new OperationFailedError(COLUMN_DROP_REFUSED, `The column drop was refused. ${reasons.join(' ')}`)
}

type ColumnDropOutcome = Pick<
  PreparedColumnDrop,
  'parameters' | 'checks' | 'prepared' | 'reasons' | 'migration' | 'pullRequest' | 'archive' | 'trial'
>

async function storeColumnDrop(
  { database, rollout, operation }: RunContext,
  outcome: ColumnDropOutcome,
): Promise<RunOutcome> {
  const verdict = worstVerdict(outcome.checks)
  const columnDrop = await writeColumnDrop(database.state, rollout.name, {
    ...outcome,
    verdict,
    id: Number(operation.id),
    fileHash: rollout.hash,
    derivationHash: rollout.derivationHash,
  })
  const { prepared, reasons, pullRequest } = outcome
  return {
    outcome: 'succeeded',
    result: { columnDrop, verdict, prepared, reasons, pullRequest: pullRequest?.url ?? null },
  }
}

const toJsonObject = <T>(value: T): Record<string, unknown> =>
  JSON.parse(JSON.stringify(value)) as Record<string, unknown>
