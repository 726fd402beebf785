import { setTimeout as sleep } from 'node:timers/promises'
import { fetchRollout, waitForRollout } from './rolloutApi.ts'
import { diffCatalogs, readCatalog } from './catalog.ts'
import { runSti } from './runSti.ts'
import type { DemoEnvironment, TrafficClient } from './environment.ts'
import { compareRows, summarizeDifferences } from './rowOracle.ts'
import { formatCount, type DemoConsole } from './console.ts'

export interface ScenarioContext {
  readonly screen: DemoConsole
  readonly root: string
  readonly config: string
  readonly environment: DemoEnvironment
  readonly traffic: TrafficClient
}

/** The rollout forward, as a user does it, with what must hold after each step. */
export async function rollOut(stage: ScenarioContext): Promise<void> {
  const { screen, environment } = stage
  const run = (step: string, ...args: string[]): Promise<void> => {
    const all = [...args, '--environment', environment.name]
    return screen.command(step, `npm run sti -- ${all.join(' ')}`, () => runSti(stage.root, stage.config, all))
  }
  await run('baseline', 'baseline', '--live', '--duration', '60s', '--release', 'before')
  // Service, load and database share one machine here: what is slow says nothing of the change.
  await run('automatic rollback held', 'automatic-rollback', 'hold', '--for', '1h', '--reason', 'demo')
  await run('expand', 'expand', '--reason', 'demo')
  await run('backfill', 'backfill', '--rollback-on-error', '--progress-reporting')
  await run('validation', 'validate', '--full-validation')
  await run('finalize', 'finalize')
  const enable = (await fetchRollout(environment)).actions.find((action) => action.action === 'enable')
  if (enable && !enable.allowed) await run('validation again', 'validate', '--full-validation')
  await run('flag on for half of the users', 'flag', '--enable', '--percentage', '50')
  screen.line()
  await expectFlagSeenByAll(stage, true)
  await expectTypeSource(stage, 'both')
  await expectNothingLost(stage)
  await run('flag on', 'flag', '--enable')
  screen.line()
  await expectFlagSeenByAll(stage, true)
  await expectTypeSource(stage, 'type')
  await expectNothingLost(stage)
}

/** Flag and data back, and the table as it was before. */
export async function rollBack(stage: ScenarioContext, catalogBefore: readonly string[]): Promise<void> {
  const { screen, environment } = stage
  const run = (step: string, ...args: string[]): Promise<void> => {
    const all = [...args, '--environment', environment.name]
    return screen.command(step, `npm run sti -- ${all.join(' ')}`, () => runSti(stage.root, stage.config, all))
  }
  await run('rollback flag', 'rollback', 'flag', '--reason', 'demo')
  screen.line()
  await expectFlagSeenByAll(stage, false)
  await expectTypeSource(stage, 'legacy')
  await run('rollback data', 'rollback', 'data', '--full-rollback', '--confirm', 'vehicles')
  screen.line()
  const difference = diffCatalogs(catalogBefore, await readCatalog(environment.database.superuserUrl))
  if (difference.length > 0) throw new Error(`the table is not as it was:\n    ${difference.join('\n    ')}`)
  screen.check('columns, indexes, constraints and triggers', `as before the rollout, ${catalogBefore.length} in all`)
  await expectNothingLost(stage)
}

function expectFlagSeenByAll({ screen, environment }: ScenarioContext, on: boolean): Promise<unknown> {
  const name = on ? 'every service has seen the flag on' : 'every service has seen the flag off'
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
      `${flag.clients.length} clients${flag.lastPropagationSeconds === null ? '' : `, the last one after ${flag.lastPropagationSeconds.toFixed(3)} s`}`,
  )
}

/** How often `goesBy` looks: on a busy machine the flag is sometimes not answered in time, and then it is off. */
const MAXIMUM_ATTEMPTS = 5

/** For 3 s requests read and write by the wanted columns, without an error or a wrong answer. */
function expectTypeSource({ screen, traffic }: ScenarioContext, by: 'type' | 'legacy' | 'both'): Promise<unknown> {
  const name = {
    type: 'reads and writes go by type',
    legacy: 'reads and writes go by legacy columns',
    both: 'old and new code, side by side',
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
            `${MAXIMUM_ATTEMPTS} times in a row, the last time of ${wrong.all} ${wrong.what} ${wrong.typed} went by type`,
          )
      }
    },
    ([reads, writes]) =>
      `${reads.all} reads and ${writes.all} writes in 3 s, of them ${reads.typed} and ${writes.typed} by type`,
  )
}

/** What is under way at either end of the window may be counted without its answer. */
function hasExpectedShare(by: 'type' | 'legacy' | 'both', all: number, typed: number): boolean {
  const share = typed / all
  return all >= 10 && (by === 'type' ? share >= 0.9 : by === 'legacy' ? share <= 0.1 : share > 0.05 && share < 0.95)
}

interface TrafficCount {
  readonly what: 'reads' | 'writes'
  readonly all: number
  readonly typed: number
}

/** The reads, and the writes but for deletions, which go by neither, of 3 s. */
async function countTraffic(traffic: TrafficClient): Promise<readonly [TrafficCount, TrafficCount]> {
  const { counters: before } = await traffic.send('report')
  await sleep(3_000)
  const { counters: after } = await traffic.send('report')
  return [
    { what: 'reads', all: after.reads - before.reads, typed: after.readsByType - before.readsByType },
    { what: 'writes', all: after.changes - before.changes, typed: after.writesByType - before.writesByType },
  ]
}

/** Pauses the traffic and compares every row; then no request may have failed so far. */
export async function expectNothingLost({ screen, traffic, environment }: ScenarioContext): Promise<void> {
  await screen.step(
    'every row compared with what it must be',
    async () => {
      const { expected } = await traffic.send('pause')
      if (!expected) throw new Error('the traffic did not pause')
      try {
        const comparison = summarizeDifferences(
          await compareRows(environment.database.superuserUrl, environment.rows, expected),
        )
        if (!comparison.held) throw new Error(`the table is not what it must be: ${comparison.text}`)
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
      `of ${requests} requests ${errors} failed and ${wrongAnswers} had a wrong answer; last: ${lastError}`,
    )
  }
  screen.check('traffic', `${formatCount(requests)} requests, ${formatCount(writes)} of them writes, no error`)
}
