import { findOnPath } from '../demo/start/findOnPath.ts'
import type { Calibration } from './calibration.ts'
import { measureMethod, type MethodResult } from './measureMethod.ts'
import type { Method } from './method.ts'
import type { BenchOptions } from './options.ts'
import { formatCount } from '../agent/src/format/format.ts'
import { summarizeRuns, type RepeatedRuns } from './repeatedRuns.ts'

/** Runs every method `runs` times, interleaved, with a calibration around each run. A failed method does not end the others. */
export async function runMethods(
  { rows, runs, methods }: BenchOptions,
  calibration: Calibration,
): Promise<{ results: RepeatedRuns[]; failed: number }> {
  const available = await availableMethods(methods)
  const measured = new Map<Method, MethodResult[]>(available.map((method) => [method, []]))
  const failures = new Set<Method>()
  await calibration.sample()
  for (let run = 1; run <= runs; run++) {
    for (const method of available) {
      if (failures.has(method)) continue
      const name = `${runs === 1 ? '' : `run ${run}: `}${method.name}`
      try {
        const result = await measureMethod(method, rows)
        measured.get(method)!.push(result)
        writeProgress(
          `${name}: ${result.seconds.toFixed(1)} s, ${formatCount(Math.round(result.rowsPerSecond))} rows/s`,
        )
      } catch (error) {
        failures.add(method)
        writeProgress(`${name} failed: ${(error as Error).message}`)
      }
      await calibration.sample()
    }
  }
  const succeeded = available.filter((method) => !failures.has(method))
  return {
    results: succeeded.map((method) => summarizeRuns(measured.get(method)!, method.shares)),
    failed: failures.size,
  }
}

async function availableMethods(methods: readonly Method[]): Promise<Method[]> {
  if (!methods.some((method) => method.name === 'pgroll') || (await findOnPath('pgroll'))) return [...methods]
  writeProgress('Skipping pgroll: no pgroll program on the PATH')
  return methods.filter((method) => method.name !== 'pgroll')
}

const writeProgress = (line: string): void => void process.stderr.write(`${line}\n`)
