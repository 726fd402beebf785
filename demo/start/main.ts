import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { readCatalog } from './catalog.ts'
import { cleanUpPreviousRun, removeRunRecord, writeRunRecord } from './previousRun.ts'
import { HELP, parseOptions, type DemoOptions } from './options.ts'
import { startProcesses } from './processes.ts'
import { formatCount, createConsole } from './console.ts'
import { startStack, type DemoStack } from './stack.ts'
import { rollBack, rollOut, type ScenarioContext } from './scenario.ts'

const root = resolve(import.meta.dirname, '../..')

class InterruptedError extends Error {}

/** Runs until the end of the rollout, an accident or a signal; gives the exit code. */
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
    // Whatever it was doing when it was interrupted fails afterwards, which nobody wants to know.
    work.catch(() => undefined)
    await Promise.race([work, processes.unexpectedExit, interrupted])
    return 0
  } catch (error) {
    if (error instanceof InterruptedError) demoConsole.line('\nEnding.')
    else process.stderr.write(`\nIt did not hold: ${(error as Error).message}\nLogs: ${join(folder, 'logs')}\n`)
    return error instanceof InterruptedError && !options.exit ? 0 : 1
  } finally {
    await processes.stop()
    await cleanUpPreviousRun(folder, demoConsole.line)
    await Promise.all(
      [join(folder, 'sti.yaml'), join(folder, 'grafana-password'), runFolder].map((path) =>
        rm(path, { recursive: true, force: true }),
      ),
    )
    await removeRunRecord(folder)
  }

  async function run(): Promise<void> {
    demoConsole.line(
      `STI Rollout: ${formatCount(options.rows)} vehicles in staging, ${options.idle ? 'yours to roll out' : 'rolled out under traffic'}\n`,
    )
    const stack = await startStack({ root, runFolder, folder }, processes, demoConsole, options)
    showAddresses(stack, folder)
    const environment = stack.staging
    const stage: ScenarioContext = {
      screen: demoConsole,
      root,
      config: stack.config,
      environment,
      traffic: stack.stagingTraffic,
    }
    if (options.idle) return stayUp()
    const before = await readCatalog(environment.database.superuserUrl)
    await rollOut(stage)
    if (!options.exit) await waitForEnter('\nThe rollout stands. Press Enter to take everything back, Ctrl-C to end.')
    await rollBack(stage, before)
    showTimings()
    if (!options.exit) await stayUp()
  }

  /** Without a person at the terminal there is nobody to wish: it stays as it is. */
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
    demoConsole.line('\nEverything stays up. Ctrl-C ends it and leaves nothing behind.')
    return new Promise(() => undefined)
  }

  function showAddresses(
    { config, grafana, grafanaPasswordFile, prometheus, staging, production }: DemoStack,
    place: string,
  ): void {
    const here = (path: string): string => relative(process.cwd(), path) || path
    demoConsole.line(`\n  terminal     npm run sti -- status --config ${here(config)}`)
    for (const { name, servicePorts } of [staging, production]) {
      demoConsole.line(`  ${name.padEnd(11)}  service http://127.0.0.1:${servicePorts[0]}/vehicles?kind=truck`)
    }
    if (prometheus) demoConsole.line(`  Prometheus   ${prometheus.url}`)
    if (grafana) demoConsole.line(`  Grafana      ${grafana.url}  user admin, password in ${here(grafanaPasswordFile)}`)
    demoConsole.line(`  logs         ${here(join(place, 'logs'))}`)
    const missing = [
      prometheus ? null : 'Prometheus (put prometheus on the PATH)',
      grafana ? null : 'Grafana 12.3 or later (install it, or set GRAFANA_HOME)',
    ]
    const named = missing.filter((one) => one !== null)
    if (named.length > 0 && !options.bare)
      demoConsole.line(`  missing      ${named.join(' and ')}: everything else works without`)
  }

  function showTimings(): void {
    demoConsole.line('\nHow long each step took:')
    for (const { name, seconds } of demoConsole.timings)
      demoConsole.line(`  ${name.padEnd(46)}${seconds.toFixed(1).padStart(6)} s`)
  }
}

/** Rejects at the first signal; later ones change nothing, so that ending is never cut short. */
function rejectOnSignal(): Promise<never> {
  return new Promise((_, reject) => {
    const interrupt = (): void => reject(new InterruptedError())
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt)
    // tsx, which started this process, is gone.
    if (process.channel) process.once('disconnect', interrupt)
    process.channel?.unref()
  })
}

const options = parseOptions(process.argv.slice(2))
if (options === 'help') {
  process.stdout.write(`${HELP}\n`)
} else if ('fault' in options) {
  process.stderr.write(`${options.fault}\n\n${HELP}\n`)
  process.exitCode = 2
} else {
  process.exit(
    await main(options).catch((error: Error) => {
      process.stderr.write(`${error.message}\n`)
      return 1
    }),
  )
}
