import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { forEachAtOnce } from '../agent/src/cli/fleet/forEachAtOnce.ts'
import { findOnPath } from '../demo/start/findOnPath.ts'
import { hasOlderVersions, OLDER_POSTGRES_VERSIONS } from './support/postgresVersion.ts'
import { pgBouncerProgram } from './support/pgBouncerProgram.ts'

/**
 * The test command: every check of the code, then every test. A failure does not stop it. The last line has the totals,
 * with each check counted as one. Arguments are passed to Vitest: npm test -- agent/src/flag
 */
interface TestCounts {
  readonly passed: number
  readonly failed: number
  /** What failed, each with the start of its message; printed once more before the totals. */
  readonly failures?: readonly string[]
}

interface VitestReport {
  readonly numPassedTests?: number
  readonly success?: boolean
  readonly testResults?: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages?: readonly string[]
    }[]
  }[]
}

interface PlaywrightSuite {
  readonly suites?: readonly PlaywrightSuite[]
  readonly specs?: readonly {
    readonly title: string
    readonly file: string
    readonly tests: readonly { readonly status: string }[]
  }[]
}

interface PlaywrightReport extends PlaywrightSuite {
  readonly stats: { readonly expected: number }
}

const MESSAGE_LINES = 12

const root = new URL('../', import.meta.url).pathname
const scratch = await mkdtemp(join(tmpdir(), 'sti-test-'))
const vitestArguments = process.argv.slice(2)
const counts: TestCounts[] = []

const SOURCES = ['agent/src', 'demo', 'bench', 'test', 'plugin/src', 'plugin/dashboard']
const ruleChecks = [
  () => runCheck('prometheus configuration', 'promtool', ['check', 'config', 'provisioning/prometheus/prometheus.yml']),
  async () => runCheck('alert rules', 'promtool', ['check', 'rules', ...(await listFiles('alerts', '.rules.yml'))]),
  async () =>
    runCheck('alert rule tests', 'promtool', [...['test', 'rules', ...(await listFiles('alerts/tests', '.test.yml'))]]),
]

/** What runs on each older version of PostgreSQL: the main job, and a test of each room that depends on the version. */
const VERSION_TESTS = [
  'test/main-job/main-job.test.ts',
  'agent/src/database/sessionSettings.test.ts',
  'agent/src/rollout/inspectTable.test.ts',
  'agent/src/signals/databaseActivity.test.ts',
  'agent/src/signals/oldestSnapshot.test.ts',
  'test/column-drop/migration.test.ts',
]

if (vitestArguments.length === 0) {
  const promtool = await findOnPath('promtool')
  if (!promtool)
    printHeading(
      'Prometheus configuration and rules: skipped, promtool is missing (Debian: apt-get install prometheus)',
    )
  const checks = [
    () => runCheck('types', 'npm', ['run', '--silent', 'typecheck']),
    () => runCheck('lint', 'npm', ['run', '--silent', 'lint']),
    () => runCheck('format', 'npx', ['prettier', '--check', '--log-level', 'warn', '.']),
    () => runCheck('import rules', 'npx', ['depcruise', ...SOURCES, '--config', '.dependency-cruiser.cjs']),
    () => runCheck('dead code', 'npx', ['knip']),
    () => runCheck('generated files', 'npx', ['tsx', 'test/generated.ts']),
    ...(promtool ? ruleChecks : []),
    auditDependencies,
    () => runCheck('plugin build', 'npm', ['run', '--silent', 'build', '-w', 'plugin']),
  ]
  await forEachAtOnce(checks, availableParallelism(), (check) => check())
}
if (pgBouncerProgram === null)
  printHeading('tests of poolers: skipped, pgbouncer is missing (Debian: apt-get install pgbouncer)')
await runVitest('tests', root, vitestArguments)
if (vitestArguments.length === 0) {
  await runOnOlderVersions()
  await runVitest('plugin tests', join(root, 'plugin'), [])
  await runGrafanaTests()
}
await rm(scratch, { recursive: true, force: true })

const passed = counts.reduce((sum, count) => sum + count.passed, 0)
const failed = counts.reduce((sum, count) => sum + count.failed, 0)
const failures = counts.flatMap((count) => count.failures ?? [])
if (failures.length > 0) process.stdout.write(`\nFailed:\n${failures.map((text) => `- ${text}\n`).join('')}`)
process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
process.exit(failed === 0 ? 0 : 1)

async function listFiles(folder: string, suffix: string): Promise<string[]> {
  const names = await readdir(join(root, folder))
  return names.filter((name) => name.endsWith(suffix)).map((name) => `${folder}/${name}`)
}

/** Prints the output in one piece, because other checks run at the same time. */
async function runCheck(name: string, command: string, args: string[]): Promise<void> {
  const started = Date.now()
  const { code, output } = await runCaptured(command, args)
  counts.push(code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1, failures: [name] })
  process.stdout.write(output)
  printHeading(`${name}: ${code === 0 ? 'ok' : 'FAILED'} (${Math.round((Date.now() - started) / 1000)} s)`)
}

/** Counts the known vulnerabilities of production dependencies. Without the registry the result is unknown, not a failure. */
async function auditDependencies(): Promise<void> {
  const { code, output } = await runCaptured('npm', ['audit', '--omit=dev', '--json'], 'ignored')
  try {
    const report = JSON.parse(output) as { metadata?: { vulnerabilities: Record<string, number> }; error?: unknown }
    if (report.metadata === undefined)
      return printHeading('vulnerabilities: unknown, npm audit got no response from the registry')
    const { high = 0, critical = 0 } = report.metadata.vulnerabilities
    const safe = high + critical === 0
    counts.push(safe ? { passed: 1, failed: 0 } : { passed: 0, failed: 1, failures: ['vulnerabilities'] })
    printHeading(`vulnerabilities: ${high} high, ${critical} critical in production dependencies`)
  } catch {
    printHeading(`vulnerabilities: unknown, npm audit returned no JSON (exit ${code})`)
  }
}

async function runVitest(
  name: string,
  cwd: string,
  args: string[],
  environment: Record<string, string> = {},
): Promise<void> {
  const file = join(scratch, `${name.replaceAll(' ', '-')}.json`)
  const code = await run(
    'npx',
    ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args],
    cwd,
    environment,
  )
  const report = JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as VitestReport
  // A file that does not load, or an error outside a test, fails the run without a failed test.
  const ok = code === 0 && report.success === true
  const failures = vitestFailures(report)
  if (!ok && failures.length === 0) failures.push(`${name}: exit code ${code}`)
  counts.push({ passed: report.numPassedTests ?? 0, failed: failures.length, failures })
  printHeading(`${name}: ${ok ? 'ok' : 'FAILED'}`)
}

async function runOnOlderVersions(): Promise<void> {
  if (!hasOlderVersions)
    return printHeading(
      `PostgreSQL ${OLDER_POSTGRES_VERSIONS.join(', ')}: skipped, they are missing (npm ci --prefix test/versions)`,
    )
  for (const version of OLDER_POSTGRES_VERSIONS)
    await runVitest(`PostgreSQL ${version}`, root, VERSION_TESTS, { STI_POSTGRES_VERSION: version })
}

async function runGrafanaTests(): Promise<void> {
  const file = join(scratch, 'grafana.json')
  const code = await run('npx', ['tsx', 'test/grafana/main.ts', file])
  const report = JSON.parse(await readFile(file, 'utf8').catch(() => 'null')) as PlaywrightReport | null
  if (report === null && code === 0) return
  const failures = report === null ? [] : playwrightFailures(report)
  if (code !== 0 && failures.length === 0) failures.push(`Grafana: exit code ${code}`)
  counts.push({ passed: report?.stats.expected ?? 0, failed: failures.length, failures })
  printHeading(`Grafana: ${code === 0 ? 'ok' : 'FAILED'}`)
}

function vitestFailures({ testResults = [] }: VitestReport): string[] {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name)
    const tests = assertionResults.filter((each) => each.status === 'failed')
    if (tests.length === 0) return status === 'failed' ? [`${file}\n${firstLines(message ?? '')}`] : []
    return tests.map(
      ({ fullName, failureMessages }) => `${file}: ${fullName}\n${firstLines(failureMessages?.[0] ?? '')}`,
    )
  })
}

function playwrightFailures({ suites = [], specs = [] }: PlaywrightSuite): string[] {
  const failed = specs
    .filter(({ tests }) => tests.some(({ status }) => status === 'unexpected' || status === 'flaky'))
    .map(({ file, title }) => `test/grafana/${file}: ${title}`)
  return [...failed, ...suites.flatMap(playwrightFailures)]
}

function firstLines(text: string): string {
  const lines = text.split('\n').filter((line) => !line.includes('node_modules'))
  return lines
    .slice(0, MESSAGE_LINES)
    .map((line) => `    ${line}`)
    .join('\n')
}

function run(command: string, args: string[], cwd = root, environment: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...environment },
    })
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}

/** The exit code and the output: standard output and, if captured, standard error. */
function runCaptured(
  command: string,
  args: string[],
  errors: 'captured' | 'ignored' = 'captured',
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', errors === 'captured' ? 'pipe' : 'ignore'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (part: string) => (output += part))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

function printHeading(text: string): void {
  process.stdout.write(`== ${text}\n`)
}
