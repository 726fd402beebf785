import type postgres from 'postgres'
import type { PreparedColumnDrop } from '../../agent/src/contract/index.ts'
import { prepareColumnDrop, validateIntegrity, waitForSoak } from '../column-drop/enabledRollout.ts'
import { runMigration } from '../column-drop/runMigration.ts'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase, type TestDatabase } from '../support/database.ts'
import { waitFor } from '../support/waitFor.ts'
import { startCommand } from './languages.ts'
import { startProgram, type ProgramAnswers, type ProgramProcess, type ProgramStatus } from './programProcess.ts'
import { rolloutFile, RUNS_ALL_PROGRAMS, type ApplicationProgram, type Kind, type KnownRow } from './programs.ts'

const WORKERS = 3
const INITIAL_ROWS = 1_000
/** Requests that a step waits for. */
const STEP_REQUESTS = RUNS_ALL_PROGRAMS ? 60 : 20

/** The timeout that docs/flag.md recommends. */
const FLAG_TIMEOUT_MS = 250
/** The test machine also runs the agent and other tests: a timeout means off, and the step waits for requests by type. */
const BUSY_FLAG_TIMEOUT_MS = 4_000

/** What an application saw during a whole rollout. */
export interface ApplicationReport {
  readonly program: string
  readonly versions: Readonly<Record<string, string>>
  readonly operations: { readonly legacy: number; readonly typed: number }
  /** Failed requests by step, then by SQLSTATE and message. */
  readonly errors: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Rows that differ from what the application wrote, in any comparison. */
  readonly wrong: readonly string[]
  /** Statements that an admin accepted for the column drop. */
  readonly acceptedStatements: readonly string[]
  /** What the SDK of the application answers, by the state of the agent. */
  readonly flag: Readonly<Record<'available' | 'stopped' | 'silent', ProgramAnswers['evaluate']>>
}

/**
 * Takes the table of an application from its legacy columns to the column drop and back, while the application writes.
 * `silentUrl` is a server that accepts connections and never responds.
 */
export async function runWholeRollout(
  program: ApplicationProgram,
  serverUrl: string,
  silentUrl: string,
): Promise<ApplicationReport> {
  return await withDatabase(async (database) => {
    const run = new ApplicationRun(program, database, await createVehicles(database.sql))
    try {
      const available = await withAgent(database.url, rolloutFile(program), async (agent) => {
        await rollOut(run, agent)
        return await run.evaluate(agent.url)
      })
      const flag = { available, stopped: await run.evaluate(run.agentUrl), silent: await run.evaluate(silentUrl) }
      return run.report(flag)
    } finally {
      await run.end()
    }
  }, serverUrl)
}

async function rollOut(run: ApplicationRun, agent: TestAgent): Promise<void> {
  await run.start('two models', agent.url)
  await run.step('before the rollout', 'legacy')
  await run.step('expand', 'legacy', () => agent.run('expand'))
  if (run.program.keepsColumns) await run.start('two models', agent.url)
  await run.step('backfill', 'legacy', () => agent.run('backfill', { batchSize: 50, niceRatio: 1 }))
  await run.step('validation', 'legacy', () => validateIntegrity(agent))
  await run.step('finalize', 'legacy', () => agent.run('finalize'))
  await run.step('flag at 50%', 'typed', () => agent.run('flag', { enabled: true, percentage: 50 }))
  await run.step('flag at 100%', 'typed', () => agent.run('flag', { enabled: true, percentage: 100 }))
  await run.step('flag off', 'legacy', () => agent.run('rollback', { scope: 'flag' }))
  await run.compare(['legacy', 'typed'])
  await run.step('flag on again', 'typed', async () => {
    await validateIntegrity(agent)
    await agent.run('flag', { enabled: true, percentage: 100 })
  })
  await run.compare(['legacy', 'typed'])
  await run.start('typed', agent.url)
  const { up, down } = await prepareDrop(run, agent)
  await run.step('column drop', 'typed', () => runMigration(run.database.url, up))
  await run.compare(['typed'])
  await run.step('undo of the column drop', 'typed', () => runMigration(run.database.url, down))
  await run.step('validation after the undo', 'typed', () => validateIntegrity(agent))
  await run.start('two models', agent.url)
  await run.step('flag off after the undo', 'legacy', () => agent.run('rollback', { scope: 'flag' }))
  await run.compare(['legacy', 'typed'])
}

/** Prepares the column drop after the soak time. Only a statement with `*` may have to be accepted. */
async function prepareDrop(run: ApplicationRun, agent: TestAgent): Promise<{ up: string; down: string }> {
  let prepared: PreparedColumnDrop | null = null
  await run.step('soak time', 'typed', async () => {
    await validateIntegrity(agent)
    await waitForSoak(agent)
    prepared = await prepareColumnDrop(agent)
    for (const { check, acceptable } of prepared.checks.filter((checked) => checked.acceptable.length > 0)) {
      if (!check.startsWith('no-statement-') || !acceptable.every((subject) => subject.includes('*')))
        throw new Error(`${check}: ${acceptable.join('; ')}`)
      run.acceptedStatements.push(...acceptable)
      const body = { environment: 'staging', check, subjects: acceptable, reason: 'The ORM reads by name.' }
      const { status, body: answer } = await agent.post('/v1/rollouts/vehicles/acceptances', body)
      if (status !== 200) throw new Error(`acceptance: ${status} ${JSON.stringify(answer)}`)
      prepared = await prepareColumnDrop(agent)
    }
  })
  const { migration, reasons } = prepared!
  if (migration === null || migration.down === null) throw new Error(`not prepared: ${reasons.join('; ')}`)
  return { up: migration.up, down: migration.down }
}

/** One application, its processes one after the other, and what they report. */
class ApplicationRun {
  readonly acceptedStatements: string[] = []
  agentUrl = ''
  readonly #errors: Record<string, Record<string, number>> = {}
  #countedErrors: Readonly<Record<string, number>> = {}
  readonly #wrong: string[] = []
  #versions: Record<string, string> = {}
  #process: ProgramProcess | null = null
  /** The sum over the processes that have ended. */
  #ended: ProgramStatus = { operations: {}, errors: {}, wrong: [] }
  readonly program: ApplicationProgram
  readonly database: TestDatabase
  #rows: readonly KnownRow[]

  constructor(program: ApplicationProgram, database: TestDatabase, rows: readonly KnownRow[]) {
    this.program = program
    this.database = database
    this.#rows = rows
  }

  /** Starts a release; the release before it ends and hands over its rows. */
  async start(release: 'two models' | 'typed', agentUrl: string): Promise<void> {
    this.agentUrl = agentUrl
    const [file, ...args] = this.program.start
    const [command, ...options] = await startCommand[this.program.language](file)
    const next = startProgram([command, ...options, ...args])
    if (this.#process !== null) {
      const { rows, ...status } = await this.#process.send('pause')
      this.#rows = rows
      this.#ended = addStatus(this.#ended, status)
      await this.#process.stop()
    }
    this.#process = next
    const { dataType, types } = this.program
    const answer = await next.send('start', {
      release,
      databaseUrl: this.database.url,
      flag: this.#flag(agentUrl, BUSY_FLAG_TIMEOUT_MS),
      workers: WORKERS,
      rows: this.#rows,
      dataType,
      types,
    })
    this.#versions = answer.versions
  }

  /** Works while the application does, then waits for more requests by this model. */
  async step(name: string, model: 'legacy' | 'typed', work: () => Promise<unknown> = async () => undefined) {
    await work()
    const begun = await this.#status()
    const wanted = (begun.operations[model] ?? 0) + STEP_REQUESTS
    const after = await waitFor(
      `${this.program.name}: ${STEP_REQUESTS} requests by the ${model} model during ${name}`,
      async () => {
        const status = await this.#status()
        return (status.operations[model] ?? 0) >= wanted && status
      },
      { seconds: 120, intervalMs: 100 },
    )
    this.#countErrors(name, after)
  }

  /** Counts the errors since the previous step. */
  #countErrors(step: string, { errors }: ProgramStatus): void {
    for (const [kind, count] of Object.entries(errors)) {
      const more = count - (this.#countedErrors[kind] ?? 0)
      if (more > 0) (this.#errors[step] ??= {})[kind] = more
    }
    this.#countedErrors = errors
  }

  /** Compares every row with what the application knows: with the mapped classes, and without them. */
  async compare(models: readonly ('legacy' | 'typed')[]): Promise<void> {
    const { rows } = await this.#process!.send('pause')
    for (const model of models) this.#wrong.push(...(await this.#process!.send('check', { model })).wrong)
    this.#wrong.push(...(await this.#compareColumns(rows, models)))
    await this.#process!.send('resume')
  }

  evaluate(url: string): Promise<ProgramAnswers['evaluate']> {
    return this.#process!.send('evaluate', { flag: this.#flag(url, FLAG_TIMEOUT_MS) })
  }

  async report(flag: ApplicationReport['flag']): Promise<ApplicationReport> {
    const status = await this.#status()
    this.#countErrors('end', status)
    const { operations, wrong } = status
    return {
      program: this.program.name,
      versions: this.#versions,
      operations: { legacy: operations.legacy ?? 0, typed: operations.typed ?? 0 },
      errors: this.#errors,
      wrong: [...this.#wrong, ...wrong],
      acceptedStatements: this.acceptedStatements,
      flag,
    }
  }

  async end(): Promise<void> {
    await this.#process?.stop()
  }

  async #status(): Promise<ProgramStatus> {
    return addStatus(this.#ended, await this.#process!.send('status'))
  }

  #flag(url: string, timeoutMs: number): object {
    const client = `${this.program.language} application`
    return { url, token: TOKENS.flag, client, key: 'vehicles-sti', timeoutMs }
  }

  async #compareColumns(rows: readonly KnownRow[], models: readonly ('legacy' | 'typed')[]): Promise<string[]> {
    const { sql } = this.database
    const { column, types } = this.program
    const legacy = models.includes('legacy')
      ? "case when is_truck and category is null then 'truck' when not is_truck and category = 'bike' then 'bike' when not is_truck and category is null then 'car' end"
      : 'null'
    const found = await sql.unsafe<{ id: string; name: string; type: string | null; legacy: Kind | null }[]>(
      `select id::text, name, ${column}::text as type, ${legacy} as legacy from public.vehicles`,
    )
    const byId = new Map(found.map((row) => [row.id, row]))
    const lost = found.length === rows.length ? [] : [`${found.length} rows instead of ${rows.length}`]
    const differing = rows.filter(([id, kind, name]) => {
      const row = byId.get(id)
      return (
        row?.name !== name ||
        (models.includes('typed') && row.type !== types[kind]) ||
        (models.includes('legacy') && row.legacy !== kind)
      )
    })
    return [...lost, ...differing.map((row) => `${JSON.stringify(byId.get(row[0]))} instead of ${row.join(', ')}`)]
  }
}

function addStatus(one: ProgramStatus, other: ProgramStatus): ProgramStatus {
  const add = (left: Readonly<Record<string, number>>, right: Readonly<Record<string, number>>) =>
    Object.fromEntries(
      [...new Set([...Object.keys(left), ...Object.keys(right)])].map((key) => [
        key,
        (left[key] ?? 0) + (right[key] ?? 0),
      ]),
    )
  return {
    operations: add(one.operations, other.operations),
    errors: add(one.errors, other.errors),
    wrong: [...one.wrong, ...other.wrong],
  }
}

/** Creates the legacy table, and returns its rows. */
async function createVehicles(sql: postgres.Sql): Promise<readonly KnownRow[]> {
  await sql.unsafe(`
    create extension if not exists pg_stat_statements;
    create type public.vehicle_type as enum ('Truck', 'Bike', 'Car');
    create table public.vehicles (
      id bigint generated always as identity primary key,
      name text not null,
      is_truck boolean not null default false,
      category text
    );
    insert into public.vehicles (name, is_truck, category)
      select 'vehicle ' || n, n % 3 = 0, case when n % 3 = 1 then 'bike' end from generate_series(1, ${INITIAL_ROWS}) n;
    analyze public.vehicles`)
  const rows = await sql<{ id: string; name: string }[]>`select id::text, name from public.vehicles`
  return rows.map(({ id, name }) => [id, (['truck', 'bike', 'car'] as const)[Number(id) % 3]!, name])
}
