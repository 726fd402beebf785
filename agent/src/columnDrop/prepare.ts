import { ColumnDropParameters, type ColumnDropCheck, type PreparedColumnDrop } from '../contract/index.ts'
import type { Facts } from '../engine/facts.ts'
import type { Outcome, Run } from '../engine/kind.ts'
import { demandTable } from '../engine/table.ts'
import type { Table } from '../rollout/rollout.ts'
import { exportTo } from './archive/exportTo.ts'
import { keepArchive, type KeptArchive } from './archive/keep.ts'
import type { ArchiveManifest } from './archive/manifest.ts'
import { archiveFault } from './archive/verify.ts'
import type { LegacyCatalog } from './catalog/legacy.ts'
import { readLegacyCatalog } from './catalog/read.ts'
import { CHECKS } from './checks/checks.ts'
import type { DropCheckContext } from './checks/check.ts'
import { answered, reasonsOf, runDropCheck, worstOf } from './checks/runChecks.ts'
import { templated } from './migration/template.ts'
import { writeMigration } from './migration/write.ts'
import { proveMigration, type Proof } from './proof/proof.ts'
import { openDraft, type GithubConfig } from './pullRequest/github.ts'
import { proofLines } from './pullRequest/proofLines.ts'
import { pullRequestOf } from './pullRequest/pullRequest.ts'
import { readTarget } from './sql/readTarget.ts'
import { writeColumnDrop } from './store.ts'
import type { ColumnWatch } from './watch/watch.ts'

export interface ColumnDropParts {
  readonly environment: string
  /** Null: pull requests are written, not opened. */
  readonly github: GithubConfig | null
  /** Where archives are exported to; null: nowhere. */
  readonly archiveFolder: string | null
  readonly watch: ColumnWatch
}

/** Everything but the drop. What it came to is stored whether it refused or not. */
export async function prepare(run: Run, parts: ColumnDropParts): Promise<Outcome> {
  const parameters = ColumnDropParameters.parse(run.operation.parameters)
  const facts = await run.facts()
  const table = demandTable(facts)
  const catalog = await readLegacyCatalog(run.database, run.rollout, table)
  const checks = await check(run, parts, facts, table, catalog)
  if (checks === null) return { outcome: 'stopped' }
  await run.event('column-drop', `safety checks: ${worstOf(checks)}`, {
    after: checks.map(({ check, verdict, evidence }) => ({ check, verdict, evidence })),
  })
  if (parameters.safetyChecks && worstOf(checks) !== 'pass') return await refused(run, parameters, checks)
  let archive: ArchiveManifest | null = null
  if (parameters.safetyChecks) {
    const started = performance.now()
    const kept = await keepArchive(run, table)
    if (kept === null) return { outcome: 'stopped' }
    archive = kept
    const compared = await archiveComplete(run, table, kept, started)
    checks.push(compared)
    if (compared.verdict !== 'pass') return await refused(run, parameters, checks)
  }
  if (archive !== null && parameters.exportArchive) {
    const exported = await exportTo(run, table, parts.archiveFolder!)
    if (exported === null) return { outcome: 'stopped' }
    archive = { ...archive, exported }
  }
  const proof = parameters.validateData ? await proved(run, table, catalog, checks) : null
  if (parameters.safetyChecks && worstOf(checks) !== 'pass') return await refused(run, parameters, checks, proof)
  return await produce(run, parts, { parameters, facts, table, catalog, checks, archive, proof })
}

async function check(
  run: Run,
  parts: ColumnDropParts,
  facts: Facts,
  table: Table,
  catalog: LegacyCatalog,
): Promise<ColumnDropCheck[] | null> {
  const { database, rollout } = run
  const sql = database.engine({ purpose: 'column drop checks', readOnly: true })
  try {
    // What happened until now counts, not until the last look.
    await parts.watch.look(facts)
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
      ...(await readTarget(sql, rollout, table)),
    }
    const checks: ColumnDropCheck[] = []
    for (const one of CHECKS) {
      if (run.asked() !== 'go-on') return null
      run.step(`checking: ${one.name}`)
      checks.push(await runDropCheck(one, context))
    }
    return checks
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** What the comparison of this run found, and whether the triggers that keep the archive true were in order after it. */
async function archiveComplete(
  { database, rollout }: Run,
  table: Table,
  { relation, completedAt, verified }: KeptArchive,
  started: number,
): Promise<ColumnDropCheck> {
  const fault = await archiveFault(database.state, rollout, table)
  const faults = [
    ...(fault === null ? [] : [`${fault} Prepare the column drop again.`]),
    ...(completedAt === null ? ['The archive is not complete: prepare the column drop.'] : []),
  ]
  const pass = faults.length === 0 && verified.differing === 0
  return answered(
    { name: 'archive-complete', question: 'Is every row in the archive, and the same?' },
    {
      verdict: pass ? 'pass' : 'fail',
      evidence: pass
        ? `${verified.rows} rows in table and archive ${relation}, checksum ${verified.checksum} of both, compared until ${verified.at}`
        : faults.join(' ').replace(/\.$/, ''),
      findings: faults,
    },
    started,
  )
}

/** Runs the migration both ways on a copy; what became of it is one more check. */
async function proved(run: Run, table: Table, catalog: LegacyCatalog, checks: ColumnDropCheck[]): Promise<Proof> {
  const started = performance.now()
  const proof = await proveMigration(run, table, catalog, Math.min(SAMPLE_ROWS, run.rollout.file.rehearsal.sample))
  const failed = proof.checks.filter((one) => !one.ok)
  checks.push(
    answered(
      { name: 'trial-on-copy', question: 'Do up and down run on a copy, and is everything back afterwards?' },
      {
        verdict: proof.passed ? 'pass' : 'fail',
        evidence: proof.passed
          ? `up and down ran on a copy with ${proof.rows} rows, twice each, with new code writing in between, and everything was what it had been`
          : `${failed.map(({ check, detail }) => `not so: ${check} (${detail})`).join('; ')}`,
        findings: proofLines(proof),
      },
      started,
    ),
  )
  return proof
}

/** Rows of the copy at most. */
const SAMPLE_ROWS = 100_000

interface Found {
  readonly parameters: ColumnDropParameters
  readonly facts: Facts
  readonly table: Table
  readonly catalog: LegacyCatalog
  readonly checks: ColumnDropCheck[]
  readonly archive: ArchiveManifest | null
  readonly proof: Proof | null
}

async function produce(run: Run, parts: ColumnDropParts, found: Found): Promise<Outcome> {
  const { parameters, facts, table, catalog, checks } = found
  const { rollout, operation } = run
  run.step('writing the migration')
  const both = writeMigration({ rollout, table, catalog, changes: facts.changes })
  const written = parameters.includeRollback ? both : { ...both, down: WITHOUT_DOWN }
  const migration = { up: written.up, down: parameters.includeRollback ? written.down : null }
  const at = new Date()
  const { archive } = found
  const files = templated(written, rollout.file.migration, at)
  const pullRequest = !parameters.generatePullRequest
    ? null
    : pullRequestOf({
        facts,
        environment: parts.environment,
        operationId: Number(operation.id),
        at,
        parameters,
        checks,
        archive,
        proof: found.proof,
        notes: written.notes,
        down: parameters.includeRollback,
        files: files.map(({ path, text }) => ({ path, language: path.endsWith('.sql') ? 'sql' : 'javascript', text })),
      })
  const came: Came = {
    parameters,
    checks,
    prepared: true,
    reasons: reasonsOf(checks),
    migration,
    pullRequest,
    archive: archive && brief(archive),
    proof: found.proof && brief(found.proof),
  }
  const outcome = await stored(run, came)
  if (pullRequest === null || !parameters.openPullRequest || parts.github === null) return outcome
  // What was prepared is kept, also when it cannot be opened.
  run.step('opening the pull request')
  const url = await openDraft(parts.github, pullRequest)
  await run.event('column-drop', `draft pull request ${url}`)
  return await stored(run, { ...came, pullRequest: { ...pullRequest, url } })
}

/** For a tool that knows both ways of a migration: this one has been asked for without its way back. */
const WITHOUT_DOWN = `do $$ begin
  raise exception 'prepared without a way back: sti prepare-column-drop --include-rollback writes one';
end $$;
`

async function refused(
  run: Run,
  parameters: ColumnDropParameters,
  checks: ColumnDropCheck[],
  proof: Proof | null = null,
): Promise<Outcome> {
  const nothing = { migration: null, pullRequest: null, archive: null, proof: proof && brief(proof) }
  return await stored(run, { parameters, checks, prepared: false, reasons: reasonsOf(checks), ...nothing })
}

type Came = Pick<
  PreparedColumnDrop,
  'parameters' | 'checks' | 'prepared' | 'reasons' | 'migration' | 'pullRequest' | 'archive' | 'proof'
>

async function stored({ database, rollout, operation }: Run, came: Came): Promise<Outcome> {
  const verdict = worstOf(came.checks)
  const columnDrop = await writeColumnDrop(database.state, rollout.name, {
    ...came,
    verdict,
    operationId: Number(operation.id),
    fileHash: rollout.hash,
  })
  const { prepared, reasons, pullRequest } = came
  return {
    outcome: 'succeeded',
    result: { columnDrop, verdict, prepared, reasons, pullRequest: pullRequest?.url ?? null },
  }
}

const brief = <T>(value: T): Record<string, unknown> => JSON.parse(JSON.stringify(value)) as Record<string, unknown>
