import { setTimeout as sleep } from 'node:timers/promises'
import { fetchRollout, waitForRollout } from './rolloutApi.ts'
import { diffCatalogs, readCatalog } from './catalog.ts'
import type { DemoEnvironment, TrafficClient } from './environment.ts'
import { compareRows, summarizeDifferences } from './rowOracle.ts'
import { formatCount, formatDuration, formatQuantity } from '@sti-rollout/agent/format'
import type { DemoConsole } from './console.ts'
import { spawn } from 'node:child_process'
import { join } from 'node:path'

export interface ScenarioContext {
  readonly screen: DemoConsole
  readonly root: string
  readonly config: string
  readonly environment: DemoEnvironment
  readonly traffic: TrafficClient
}

/** Runs the rollout as a user does, and checks rows and traffic after each step. */
export async function rollOut(context: ScenarioContext): Promise<void> {
  const { screen, environment } = context
  const run = (step: string, ...args: string[]): Promise<void> => {
    const all = [...args, '--environment', environment.name]
    return screen.command(step, `npm run sti -- ${all.join(' ')}`, () => runSti(context.root, context.config, all))
  }
  /** Fails only if the command does: the verdict decides later if the flag may be turned on. */
  const validate = (step: string): Promise<void> => {
    const all = ['validate', '--full-validation', '--environment', environment.name]
    return screen.command(step, `npm run sti -- ${all.join(' ')}`, () =>
      runSti(context.root, context.config, all, VERDICT_EXIT_CODES),
    )
  }
  await run('baseline', 'baseline', '--live', '--duration', '60s', '--release', 'before')
  await run('expand', 'expand', '--reason', 'demo')
  await run('backfill', 'backfill', '--rollback-on-error', '--progress-reporting')
  await validate('validation')
  await run('finalize', 'finalize')
  const mayEnable = async (): Promise<boolean> =>
    (await fetchRollout(environment)).actions.some(({ action, allowed }) => action === 'enable' && allowed)
  if (!(await mayEnable())) await validate('validation again')
  const forced = (await mayEnable()) ? [] : await explainBusyMachine(context)
  await run('flag on for half of the users', 'flag', '--enable', '--percentage', '50', ...forced)
  screen.line()
  await expectFlagSeenByAll(context, true)
  await expectTypeSource(context, 'both')
  await expectNothingLost(context)
  await run('flag on', 'flag', '--enable', ...forced)
  screen.line()
  await expectFlagSeenByAll(context, true)
  await expectTypeSource(context, 'type')
  await expectNothingLost(context)
}

/** Exit codes of `sti validate` by verdict: pass, fail, inconclusive. */
const VERDICT_EXIT_CODES = [0, 1, 4]

/**
 * The options that turn the flag on although this machine misses the limits of performance or system.
 * @throws if anything else keeps the flag off
 */
async function explainBusyMachine({ screen, environment }: ScenarioContext): Promise<string[]> {
  const { validation, actions } = await fetchRollout(environment)
  const missed = (validation?.layers ?? []).filter(({ required, verdict }) => required && verdict !== 'pass')
  const isMachine = missed.length > 0 && missed.every(({ layer }) => layer === 'performance' || layer === 'system')
  if (!isMachine) {
    const reasons = actions.find(({ action }) => action === 'enable')?.reasons ?? []
    throw new Error(`the flag cannot be turned on:\n    ${reasons.join('\n    ')}`)
  }
  screen.line('\n  These layers keep the flag off, since one machine runs service, load, databases and agents:')
  for (const { layer, verdict, detail } of missed) screen.line(`    ${layer}: ${verdict} (${detail})`)
  screen.line('  An admin forces the flag on for this demo. Every report shows that.')
  return ['--force', '--reason', 'demo']
}

/** Rolls back flag and data, and checks that the table is as before. */
export async function rollBack(context: ScenarioContext, catalogBefore: readonly string[]): Promise<void> {
  const { screen, environment } = context
  const run = (step: string, ...args: string[]): Promise<void> => {
    const all = [...args, '--environment', environment.name]
    return screen.command(step, `npm run sti -- ${all.join(' ')}`, () => runSti(context.root, context.config, all))
  }
  await run('rollback flag', 'rollback', 'flag', '--reason', 'demo')
  screen.line()
  await expectFlagSeenByAll(context, false)
  await expectTypeSource(context, 'legacy')
  await run('rollback data', 'rollback', 'data', '--full-rollback', '--confirm', 'vehicles')
  screen.line()
  const difference = diffCatalogs(catalogBefore, await readCatalog(environment.database.superuserUrl))
  if (difference.length > 0)
    throw new Error(`the table differs from before the rollout:\n    ${difference.join('\n    ')}`)
  screen.check('columns, indexes, constraints and triggers', `unchanged (${catalogBefore.length} definitions)`)
  await expectNothingLost(context)
}

function expectFlagSeenByAll({ screen, environment }: ScenarioContext, on: boolean): Promise<unknown> {
  const name = on ? 'all services see the flag on' : 'all services see the flag off'
  return screen.step(
    name,
    () =>
      waitForRollout(
        environment,
        ({ flag }) => flag.enabled === on && flag.consistent && flag.clients.length > 0,
        name,
        30,
      ),
    ({ flag }) =>
      `${formatQuantity(flag.clients.length, 'client')}${flag.lastPropagationSeconds === null ? '' : `, propagated in ${formatDuration(flag.lastPropagationSeconds)}`}`,
  )
}

/** On a busy machine an evaluation can time out, and the request then uses the legacy columns. */
const MAXIMUM_ATTEMPTS = 5

/** Requires that the requests of 3 s use the expected columns. */
function expectTypeSource({ screen, traffic }: ScenarioContext, by: 'type' | 'legacy' | 'both'): Promise<unknown> {
  const name = {
    type: 'reads and writes use type',
    legacy: 'reads and writes use legacy columns',
    both: 'old and new code run side by side',
  }[by]
  return screen.step(
    name,
    async () => {
      for (let attempt = 1; ; attempt++) {
        const counts = await countTraffic(traffic)
        const wrong = counts.find(({ all, typed }) => !hasExpectedShare(by, all, typed))
        if (!wrong) return counts
        if (attempt === MAXIMUM_ATTEMPTS)
          throw new Error(
            `${wrong.typed} of ${wrong.all} ${wrong.sort} used type in the last of ${MAXIMUM_ATTEMPTS} attempts`,
          )
      }
    },
    ([reads, writes]) =>
      `${reads.typed} of ${reads.all} reads and ${writes.typed} of ${writes.all} writes used type in 3 s`,
  )
}

/** The window can count a request without its response at either end, hence the tolerance of 10%. */
function hasExpectedShare(by: 'type' | 'legacy' | 'both', all: number, typed: number): boolean {
  const share = typed / all
  return all >= 10 && (by === 'type' ? share >= 0.9 : by === 'legacy' ? share <= 0.1 : share > 0.05 && share < 0.95)
}

interface TrafficCount {
  readonly sort: 'reads' | 'writes'
  readonly all: number
  readonly typed: number
}

/** Counts reads and writes for 3 s. Deletions use neither column and are excluded. */
async function countTraffic(traffic: TrafficClient): Promise<readonly [TrafficCount, TrafficCount]> {
  const { counters: before } = await traffic.send('report')
  await sleep(3_000)
  const { counters: after } = await traffic.send('report')
  return [
    { sort: 'reads', all: after.reads - before.reads, typed: after.readsByType - before.readsByType },
    { sort: 'writes', all: after.changes - before.changes, typed: after.writesByType - before.writesByType },
  ]
}

/** Pauses the traffic, compares every row, and requires that no request has failed so far. */
async function expectNothingLost({ screen, traffic, environment }: ScenarioContext): Promise<void> {
  await screen.step(
    'compare every row with the expected row',
    async () => {
      const { expected } = await traffic.send('pause')
      if (!expected) throw new Error('the traffic did not pause')
      try {
        const comparison = summarizeDifferences(
          await compareRows(environment.database.superuserUrl, environment.rows, expected),
        )
        if (!comparison.matches) throw new Error(`rows differ from the expected rows: ${comparison.text}`)
        return comparison
      } finally {
        await traffic.send('resume')
      }
    },
    (comparison) => comparison.text,
  )
  const { counters } = await traffic.send('report')
  const { requests, writes, errors, wrongAnswers, lastError } = counters
  if (errors + wrongAnswers > 0) {
    throw new Error(
      `${errors} of ${requests} requests failed and ${wrongAnswers} returned a wrong vehicle; last error: ${lastError}`,
    )
  }
  screen.check('traffic', `${formatCount(requests)} requests (${formatCount(writes)} writes), no errors`)
}

/** Runs `sti` as a user does, with its output on this terminal. Throws if the exit code is none of these. */
async function runSti(
  root: string,
  config: string,
  args: readonly string[],
  exitCodes: readonly number[] = [0],
): Promise<void> {
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'agent/bin/sti.js'), ...args, '--config', config], {
      stdio: 'inherit',
    })
    child.once('error', reject)
    child.once('exit', resolve)
  })
  if (code === null || !exitCodes.includes(code)) throw new Error(`sti ${args.join(' ')} exited with code ${code}`)
}
