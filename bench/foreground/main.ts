import { writeFile } from 'node:fs/promises'
import type { Calibration } from '../calibration.ts'
import { latencyPanels } from '../chart/latencyPanels.ts'
import type { BenchOptions } from '../options.ts'
import { formatCount } from '../../agent/src/format/format.ts'
import { goalLines } from '../goals.ts'
import { observeScenario, type ScenarioRun } from './observeScenario.ts'
import { scenarios, type Scenario } from './scenarios.ts'
import { foregroundGoals, summarizeScenario, summaryTable, percentile, toLatencySeries } from './scenarioSummary.ts'

const CLIENT_COUNT = 4

/** Measures the latency of other clients during a backfill in several rounds of all scenarios. Returns the exit code. */
export async function runForegroundBench(options: BenchOptions, calibration: Calibration): Promise<number> {
  const { rows, runs, json, svg } = options
  const { workers, niceRatio, batchSeconds, perSecond } = options.foreground!
  const all = scenarios(workers, niceRatio, batchSeconds)
  const observed = new Map<Scenario, ScenarioRun[]>(all.map((scenario) => [scenario, []]))
  const failed = new Set<Scenario>()
  await calibration.sample()
  for (let run = 1; run <= runs; run++) {
    for (const scenario of all.filter((candidate) => !failed.has(candidate))) {
      try {
        const scenarioRun = await observeScenario(scenario, { rows, perSecond, clients: CLIENT_COUNT })
        observed.get(scenario)!.push(scenarioRun)
        const latency = scenario.load ? `, p99 ${p99(scenarioRun).toFixed(2)} ms` : ''
        writeProgress(`run ${run}: ${scenario.method.name}: ${scenarioRun.seconds.toFixed(1)} s${latency}`)
      } catch (error) {
        failed.add(scenario)
        writeProgress(`run ${run}: ${scenario.method.name} failed: ${(error as Error).message}`)
      }
      await calibration.sample()
    }
  }
  const good = all.filter((scenario) => !failed.has(scenario))
  const summaries = good.map((scenario) => summarizeScenario(scenario, rows, observed.get(scenario)!))
  const batch = batchSeconds === null ? '' : `, batches of at most ${batchSeconds} s`
  const offered = `${CLIENT_COUNT} clients, ${perSecond} requests/s in all, ${formatCount(rows)} rows`
  process.stdout.write(
    `${offered}; engine: workers ${workers}, nice ratio ${niceRatio}${batch}; medians of ${runs} runs:\n\n`,
  )
  process.stdout.write(`${summaryTable(summaries)}\n${goalLines(foregroundGoals(summaries))}`)
  if (json) await writeFile(json, `${JSON.stringify(summaries, null, 2)}\n`)
  if (svg) {
    const drawn = good.filter((scenario) => scenario.load)
    const series = drawn.map((scenario) => toLatencySeries(scenario.title, medianRun(observed.get(scenario)!)))
    await writeFile(
      svg,
      latencyPanels(series, `${offered}; of each second green p50, blue p99; dashed: p99 without a backfill`),
    )
  }
  return failed.size === 0 ? 0 : 1
}

/** The run with the median p99. */
function medianRun(runs: readonly ScenarioRun[]): ScenarioRun {
  return [...runs].sort((a, b) => p99(a) - p99(b))[(runs.length - 1) >> 1]!
}

function p99(run: ScenarioRun): number {
  return percentile(
    run.requests.map((request) => request.milliseconds),
    0.99,
  )
}

const writeProgress = (line: string): void => void process.stderr.write(`${line}\n`)
