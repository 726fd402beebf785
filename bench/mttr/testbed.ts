import { setTimeout as sleep } from 'node:timers/promises'
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import postgres from 'postgres'
import type { Operation, RolloutDetail } from '../../agent/src/contract/index.ts'
import { fetchRollout, waitForRollout } from '../../demo/start/rolloutApi.ts'
import { agentUrl, type DemoEnvironment } from '../../demo/start/environment.ts'
import { startProcesses } from '../../demo/start/processes.ts'
import { createConsole } from '../../demo/start/console.ts'
import { startStack } from '../../demo/start/stack.ts'
import { startOperation } from '../startOperation.ts'
import type { MttrOptions } from './options.ts'

/** The demo, with staging rolled out up to the flag. */
export interface Testbed {
  readonly staging: DemoEnvironment
  /** The percentage of users that a round turns the flag on for. */
  readonly percentage: number
  readonly prometheusUrl: string | null
  readonly grafana: { readonly url: string; readonly password: string } | null
  /** Connects to the staging database as a superuser. */
  readonly sql: postgres.Sql
  readonly unexpectedExit: Promise<never>
  run(kind: string, parameters: Record<string, unknown>): Promise<Operation>
  stop(): Promise<void>
}

/**
 * Starts the demo with its own provisioning. The path `alert` runs agents with STI_GUARD=false; the path `guard` runs
 * without Prometheus and Grafana, so that nothing sends an alert.
 */
export async function startTestbed({
  path,
  rows,
  percentage,
}: Pick<MttrOptions, 'path' | 'rows' | 'percentage'>): Promise<Testbed> {
  const root = resolve(import.meta.dirname, '../..')
  const runFolder = await mkdtemp(join(tmpdir(), 'sti-mttr-'))
  await chmod(runFolder, 0o755)
  const folder = join(runFolder, 'demo')
  await mkdir(join(folder, 'logs'), { recursive: true })
  // Every process of the demo inherits the variable.
  process.env['STI_GUARD'] = String(path === 'guard')
  const processes = startProcesses(root, runFolder, join(folder, 'logs'))
  let sql: postgres.Sql | undefined
  const stop = async (): Promise<void> => {
    await sql?.end({ timeout: 1 })
    await processes.stop()
    await rm(runFolder, { recursive: true, force: true })
  }
  try {
    const stack = await startStack({ root, runFolder, folder }, processes, createConsole(), {
      rows,
      bare: path === 'guard',
      // The machine is loaded on purpose, and no baseline is taken.
      requires: ['integrity', 'business'],
    })
    const { staging, prometheus, grafana } = stack
    if (path === 'alert' && (prometheus === null || grafana === null))
      throw new Error('Prometheus or Grafana is missing. Install both, or use --path guard.')
    sql = postgres(staging.database.superuserUrl, { max: 2, onnotice: () => undefined })
    const run = (kind: string, parameters: Record<string, unknown>): Promise<Operation> =>
      runOperation(staging, kind, parameters)
    for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const)
      await run(kind, kind === 'validation' ? { full: true } : {})
    return {
      staging,
      percentage,
      sql,
      unexpectedExit: processes.unexpectedExit,
      run,
      stop,
      prometheusUrl: prometheus?.url ?? null,
      grafana:
        grafana === null
          ? null
          : { url: grafana.url, password: (await readFile(stack.grafanaPasswordFile, 'utf8')).trim() },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Turns the flag on, after a validation if the agent requires one, and returns the rollout. */
export async function turnFlagOn({ staging, percentage, run }: Testbed): Promise<RolloutDetail> {
  const enable = (await fetchRollout(staging)).actions.find(({ action }) => action === 'enable')
  if (enable?.allowed === false) await run('validation', { full: true })
  await run('flag', { enabled: true, percentage })
  return waitForRollout(
    staging,
    ({ flag }) => flag.enabled && flag.consistent && flag.clients.length > 0 && flag.lastPropagationSeconds !== null,
    'the flag is on at every client',
    60,
  )
}

async function runOperation(
  staging: DemoEnvironment,
  kind: string,
  parameters: Record<string, unknown>,
): Promise<Operation> {
  const { id } = await startOperation(staging, kind, parameters)
  const headers = { authorization: `Bearer ${staging.tokens.personal}` }
  for (;;) {
    const state = (await (await fetch(`${agentUrl(staging)}/v1/operations/${id}`, { headers })).json()) as Operation
    if (state.state === 'succeeded') return state
    if (['failed', 'cancelled', 'paused'].includes(state.state))
      throw new Error(`${kind} ${state.state}: ${state.error ?? 'no error message'}`)
    await sleep(200)
  }
}
