import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { readCatalog } from './catalog.ts'
import { cleanUpPreviousRun, removeRunRecord, writeRunRecord } from './previousRun.ts'
import { HELP, parseOptions, type DemoOptions } from './options.ts'
import { startProcesses } from './processes.ts'
import { runProgram } from './runProgram.ts'
import { formatCount } from '@sti-rollout/agent/format'
import { createConsole } from './console.ts'
import { startStack, type DemoStack } from './stack.ts'
import { rollBack, rollOut, type ScenarioContext } from './scenario.ts'

const root = resolve(import.meta.dirname, '../..')

class InterruptedError extends Error {}

/** Runs until the rollout ends, a process fails or a signal arrives. Returns the exit code. */
async function main(options: DemoOptions): Promise<number> {
  const demoConsole = createConsole()
  const folder = resolve(options.folder)
  await mkdir(join(folder, 'logs'), { recursive: true })
  await cleanUpPreviousRun(folder, demoConsole.line)
  const runFolder = await mkdtemp(join(tmpdir(), 'sti-demo-'))
  await chmod(runFolder, 0o755)
  await writeRunRecord(folder, { pid: process.pid, folder: runFolder })
  const processes = startProcesses(root, runFolder, join(folder, 'logs'))
  const interrupted = rejectOnSignal()
  try {
    const work = run()
    // Work that was interrupted fails afterwards: not an error to report.
    work.catch(() => undefined)
    await Promise.race([work, processes.unexpectedExit, interrupted])
    return 0
  } catch (error) {
    if (error instanceof InterruptedError) demoConsole.line('\nStopping.')
    else process.stderr.write(`\nThe demo failed: ${(error as Error).message}\nLogs: ${join(folder, 'logs')}\n`)
    return error instanceof InterruptedError && !options.exit ? 0 : 1
  } finally {
    await processes.stop()
    await cleanUpPreviousRun(folder, demoConsole.line)
    await Promise.all(
      [...['sti.yaml', 'grafana-password', 'database-url'].map((name) => join(folder, name)), runFolder].map((path) =>
        rm(path, { recursive: true, force: true }),
      ),
    )
    await removeRunRecord(folder)
  }

  async function run(): Promise<void> {
    demoConsole.line(
      `STI Rollout: ${formatCount(options.rows)} vehicles in staging, ${options.idle ? 'ready for you to roll out' : 'rolled out under traffic'}\n`,
    )
    const stack = await startStack({ root, runFolder, folder }, processes, demoConsole, options)
    showAddresses(stack, join(folder, 'logs'))
    const environment = stack.staging
    const scenario: ScenarioContext = {
      screen: demoConsole,
      root,
      config: stack.config,
      environment,
      traffic: stack.stagingTraffic,
    }
    if (options.idle) return stayUp()
    const before = await readCatalog(environment.database.superuserUrl)
    await rollOut(scenario)
    if (!options.exit)
      await waitForEnter('\nThe rollout is complete. Press Enter to roll everything back, or Ctrl-C to exit.')
    await rollBack(scenario, before)
    showTimings()
    if (!options.exit) await stayUp()
  }

  /** Without a terminal, nobody can press Enter, so the rollout stays in its current state. */
  function waitForEnter(question: string): Promise<void> {
    if (!process.stdin.isTTY) return stayUp()
    demoConsole.line(question)
    const lines = createInterface({ input: process.stdin })
    return new Promise((done) =>
      lines.once('line', () => {
        lines.close()
        done()
      }),
    )
  }

  function stayUp(): Promise<never> {
    demoConsole.line('\nEverything keeps running. Press Ctrl-C to stop and remove it.')
    return new Promise(() => undefined)
  }

  function showAddresses(
    { config, databaseUrlFile, grafana, grafanaPasswordFile, prometheus, staging, production }: DemoStack,
    logsFolder: string,
  ): void {
    const relativePath = (path: string): string => relative(process.cwd(), path) || path
    demoConsole.line(`\n  terminal     npm run sti -- status --config ${relativePath(config)}`)
    demoConsole.line(`  PostgreSQL   psql "$(cat ${relativePath(databaseUrlFile)})"`)
    for (const { name, servicePorts } of [staging, production]) {
      demoConsole.line(`  ${name.padEnd(11)}  service http://127.0.0.1:${servicePorts[0]}/vehicles?kind=truck`)
    }
    if (prometheus) demoConsole.line(`  Prometheus   ${prometheus.url}`)
    if (grafana)
      demoConsole.line(`  Grafana      ${grafana.url}  user admin, password in ${relativePath(grafanaPasswordFile)}`)
    demoConsole.line(`  logs         ${relativePath(logsFolder)}`)
    const missingPrograms = [
      prometheus ? null : 'Prometheus (put prometheus on the PATH)',
      grafana ? null : 'Grafana 12.3 or later (install it or set GRAFANA_HOME)',
    ]
    const missing = missingPrograms.filter((program) => program !== null)
    if (missing.length > 0 && !options.bare)
      demoConsole.line(`  not found    ${missing.join(' and ')}. Everything else works without.`)
  }

  function showTimings(): void {
    demoConsole.line('\nDuration of each step:')
    for (const { name, seconds } of demoConsole.timings)
      demoConsole.line(`  ${name.padEnd(46)}${seconds.toFixed(1).padStart(6)} s`)
  }
}

/** Rejects at the first signal and ignores later ones, so that the cleanup always completes. */
function rejectOnSignal(): Promise<never> {
  return new Promise((_, reject) => {
    const interrupt = (): void => reject(new InterruptedError())
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt)
    // The disconnect means that tsx, the parent of this process, has exited.
    if (process.channel) process.once('disconnect', interrupt)
    process.channel?.unref()
  })
}

await runProgram(parseOptions(process.argv.slice(2)), { help: HELP, failure: '', main })
