import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { findOnPath } from '../demo/start/findOnPath.ts'

/**
 * The test command: every check of the code, then every test. Goes through all of them whatever fails; the last line
 * has the true sums, each check counting as one. Arguments are passed to vitest: npm test -- agent/src/flag
 */
interface Counts {
  readonly passed: number
  readonly failed: number
}

const root = new URL('../', import.meta.url).pathname
const scratch = await mkdtemp(join(tmpdir(), 'sti-test-'))
const only = process.argv.slice(2)
const counts: Counts[] = []

const SOURCES = ['agent/src', 'demo', 'bench', 'test', 'plugin/src', 'plugin/dashboard']
const ruleChecks = [
  () => check('prometheus configuration', 'promtool', ['check', 'config', 'provisioning/prometheus/prometheus.yml']),
  async () => check('alert rules', 'promtool', ['check', 'rules', ...(await listed('alerts', '.rules.yml'))]),
  async () =>
    check('alert rules fire and stay silent', 'promtool', [
      ...['test', 'rules', ...(await listed('alerts/tests', '.test.yml'))],
    ]),
]

if (only.length === 0) {
  const promtool = await findOnPath('promtool')
  if (!promtool) say('Prometheus’ configuration and rules: left out, no promtool (Debian: apt-get install prometheus)')
  await inLanes(availableParallelism(), [
    () => check('types', 'npm', ['run', '--silent', 'typecheck']),
    () => check('lint', 'npm', ['run', '--silent', 'lint']),
    () => check('format', 'npx', ['prettier', '--check', '--log-level', 'warn', '.']),
    () => check('import directions', 'npx', ['depcruise', ...SOURCES, '--config', '.dependency-cruiser.cjs']),
    () => check('dead code', 'npx', ['knip']),
    () => check('generated files', 'npx', ['tsx', 'test/generated.ts']),
    ...(promtool ? ruleChecks : []),
    audit,
    () => check('plugin build', 'npm', ['run', '--silent', 'build', '-w', 'plugin']),
  ])
}
await vitest('tests', root, only)
if (only.length === 0) {
  await vitest('plugin tests', join(root, 'plugin'), [])
  await grafana()
}
await rm(scratch, { recursive: true, force: true })

const passed = counts.reduce((sum, one) => sum + one.passed, 0)
const failed = counts.reduce((sum, one) => sum + one.failed, 0)
process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
process.exit(failed === 0 ? 0 : 1)

async function listed(folder: string, suffix: string): Promise<string[]> {
  const names = await readdir(join(root, folder))
  return names.filter((name) => name.endsWith(suffix)).map((name) => `${folder}/${name}`)
}

/** As many at a time as there are lanes, in their order. */
async function inLanes(lanes: number, jobs: (() => Promise<void>)[]): Promise<void> {
  const left = [...jobs]
  const lane = async (): Promise<void> => {
    for (let job = left.shift(); job !== undefined; job = left.shift()) await job()
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** What it says comes in one piece, since others run beside it. */
async function check(name: string, command: string, args: string[]): Promise<void> {
  const started = Date.now()
  const { code, output } = await quietly(command, args)
  counts.push(code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 })
  process.stdout.write(output)
  say(`${name}: ${code === 0 ? 'ok' : 'FAILED'} (${Math.round((Date.now() - started) / 1000)} s)`)
}

/** What the registry knows of the production dependencies. Where it does not answer, that is all there is to say. */
async function audit(): Promise<void> {
  const { code, output } = await quietly('npm', ['audit', '--omit=dev', '--json'], 'not')
  try {
    const report = JSON.parse(output) as { metadata?: { vulnerabilities: Record<string, number> }; error?: unknown }
    if (report.metadata === undefined) return say('vulnerabilities: not known, the registry does not answer npm audit')
    const { high = 0, critical = 0 } = report.metadata.vulnerabilities
    counts.push(high + critical === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 })
    say(`vulnerabilities: ${high} high, ${critical} critical in production dependencies`)
  } catch {
    say(`vulnerabilities: not known, npm audit answered nothing readable (exit ${code})`)
  }
}

async function vitest(name: string, cwd: string, args: string[]): Promise<void> {
  const file = join(scratch, `${name.replaceAll(' ', '-')}.json`)
  const code = await run(
    'npx',
    ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args],
    cwd,
  )
  const report = JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as {
    numPassedTests?: number
    numFailedTests?: number
    success?: boolean
  }
  const failed = report.numFailedTests ?? 0
  // A file that cannot even be loaded, or an error outside any test, fails the run without a failed test.
  const ok = code === 0 && report.success === true
  counts.push({ passed: report.numPassedTests ?? 0, failed: !ok && failed === 0 ? 1 : failed })
  say(`${name}: ${ok ? 'ok' : 'FAILED'}`)
}

async function grafana(): Promise<void> {
  const file = join(scratch, 'grafana.json')
  const code = await run('npx', ['tsx', 'test/grafana/main.ts', file])
  const report = JSON.parse(await readFile(file, 'utf8').catch(() => 'null')) as {
    stats: { expected: number; unexpected: number; flaky: number }
  } | null
  if (report === null && code === 0) return
  const failed = (report?.stats.unexpected ?? 0) + (report?.stats.flaky ?? 0)
  counts.push({ passed: report?.stats.expected ?? 0, failed: code !== 0 && failed === 0 ? 1 : failed })
  say(`Grafana: ${code === 0 ? 'ok' : 'FAILED'}`)
}

function run(command: string, args: string[], cwd = root): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}

/** What it writes to both of its outputs, or to standard output alone. */
function quietly(
  command: string,
  args: string[],
  errors: 'too' | 'not' = 'too',
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', errors === 'too' ? 'pipe' : 'ignore'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (part: string) => (output += part))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

function say(text: string): void {
  process.stdout.write(`== ${text}\n`)
}
