import { spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { describeComparison, type Operation, type RolloutDetail } from '../../agent/src/contract/index.ts'
import { createConsole } from '../../demo/start/console.ts'
import type { DemoEnvironment } from '../../demo/start/environment.ts'
import { startProcesses, type DemoProcesses } from '../../demo/start/processes.ts'
import { fetchRollout } from '../../demo/start/rolloutApi.ts'
import { startStack } from '../../demo/start/stack.ts'
import { startOperation } from '../startOperation.ts'

const HELP = `Usage: npm run control -- [options]

Turns the flag of the demo on for half of the users, again and again, and measures if and when the agent turns it off
because the new code is worse than the old code.

Options:
  --rounds N      number of rounds (default 10)
  --seconds N     how long the flag stays on at 50% if it is not rolled back (default 60)
  --slowdown N    how much slower the new code is, as a share of each request (default 0)
  --failures N    the ratio of requests that the new code fails (default 0)
  --busy N        processes that keep the processors busy (default 2)
  --full N        seconds at 100% after a round without a rollback (default 0)
  --baseline N    seconds of the baseline before the first round; 0: none (default 60)`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '60' },
    slowdown: { type: 'string', default: '0' },
    failures: { type: 'string', default: '0' },
    busy: { type: 'string', default: '2' },
    full: { type: 'string', default: '0' },
    baseline: { type: 'string', default: '60' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

async function main(): Promise<void> {
  const root = resolve(import.meta.dirname, '../..')
  const runFolder = await mkdtemp(join(tmpdir(), 'sti-control-'))
  await chmod(runFolder, 0o755)
  const folder = join(runFolder, 'demo')
  await mkdir(join(folder, 'logs'), { recursive: true })
  const processes = startProcesses(root, runFolder, join(folder, 'logs'))
  const busy = Array.from({ length: Number(values.busy) }, () => spawn(process.execPath, ['-e', 'for (;;);']))
  try {
    const { staging } = await startStack({ root, runFolder, folder }, withFaultyService(processes), createConsole(), {
      rows: 20_000,
      bare: true,
      // The machine is loaded on purpose: the control group decides.
      requires: ['integrity', 'business'],
    })
    const baseline = Number(values.baseline)
    if (baseline > 0) await run(staging, 'baseline', { durationSeconds: baseline, live: true })
    for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const)
      await run(staging, kind, kind === 'validation' ? { full: true } : {})
    for (let round = 1; round <= Number(values.rounds); round++)
      process.stdout.write(`round ${round}: ${await measureRound(staging)}\n`)
  } finally {
    busy.forEach((child) => child.kill('SIGKILL'))
    await processes.stop()
    await rm(runFolder, { recursive: true, force: true })
  }
}

/** The services run with the fault of the new code. */
function withFaultyService(processes: DemoProcesses): DemoProcesses {
  return {
    ...processes,
    run: (name, file, env) =>
      processes.run(name, file === 'demo/service/main.ts' ? 'bench/control/faultyService.ts' : file, {
        ...env,
        SLOWDOWN: values.slowdown,
        FAILURES: values.failures,
      }),
  }
}

async function measureRound(staging: DemoEnvironment): Promise<string> {
  const enable = (await readPatiently(staging)).actions.find(({ action }) => action === 'enable')
  if (enable?.allowed === false) await run(staging, 'validation', { full: true })
  // Before the request: on a busy machine, a fault is found before the answer says that the flag is on.
  const began = Date.now()
  await run(staging, 'flag', { enabled: true, percentage: 50 })
  const half = await watch(staging, Number(values.seconds))
  if (!half.flag.enabled) return await describeRollback(staging, half, began)
  const compared = half.comparison == null ? 'nothing was compared' : describeComparison(half.comparison)
  if (Number(values.full) === 0) {
    await run(staging, 'flag', { enabled: false })
    return `not rolled back in ${values.seconds} s; ${compared}`
  }
  await run(staging, 'flag', { enabled: true, percentage: 100 })
  const full = await watch(staging, Number(values.full))
  if (!full.flag.enabled) return `at 100%: ${await describeRollback(staging, full, began)}`
  await run(staging, 'flag', { enabled: false })
  return `not rolled back in ${values.seconds} s at 50% and ${values.full} s at 100%; ${compared}`
}

/** On a busy machine an answer can take longer than its time limit. */
async function readPatiently(staging: DemoEnvironment): Promise<RolloutDetail> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetchRollout(staging)
    } catch (error) {
      if (attempt === 10) throw error
    }
  }
}

/** Watches the flag for some seconds, or until it is off. */
async function watch(staging: DemoEnvironment, seconds: number): Promise<RolloutDetail> {
  const until = Date.now() + seconds * 1_000
  for (;;) {
    const rollout = await readPatiently(staging)
    if (!rollout.flag.enabled || Date.now() >= until) return rollout
    await sleep(250)
  }
}

/** The incident is written after the flag is off. */
async function describeRollback(staging: DemoEnvironment, { flag }: RolloutDetail, began: number): Promise<string> {
  const seconds = (Date.parse(flag.changedAt!) - began) / 1_000
  for (let attempt = 0; attempt < 40; attempt++) {
    const { incidents } = await readPatiently(staging)
    const incident = incidents.find(({ openedAt }) => Date.parse(openedAt) >= began)
    if (incident !== undefined) return `rolled back after ${seconds.toFixed(1)} s; ${incident.summary}`
    await sleep(250)
  }
  return `rolled back after ${seconds.toFixed(1)} s, without an incident`
}

async function run(staging: DemoEnvironment, kind: string, parameters: Record<string, unknown>): Promise<void> {
  const { id } = await startOperation(staging, kind, parameters)
  let operation: Operation | undefined
  while (operation?.endedAt == null) {
    await sleep(250)
    operation = (await readPatiently(staging)).operations.find((candidate) => candidate.id === id)
  }
  if (operation.state !== 'succeeded') throw new Error(`${kind} ${id} ended as ${operation.state}: ${operation.error}`)
}

if (values.help) process.stdout.write(`${HELP}\n`)
else
  await main().then(
    () => process.exit(0),
    (error: Error) => {
      process.stderr.write(`The measurement failed: ${error.message}\n`)
      process.exit(1)
    },
  )
