import { findOnPath } from '../demo/start/findOnPath.ts'
import type { Calibration } from './calibration.ts'
import { measure, type Measured } from './measure.ts'
import type { Method } from './method.ts'
import type { Options } from './options.ts'
import { grouped } from './print.ts'
import { repeated, type Repeated } from './repeated.ts'

/** Every method `runs` times, taking turns, with the calibration around each. A method that fails does not end the others. */
export async function runAll(
  { rows, runs, methods }: Options,
  calibration: Calibration,
): Promise<{ results: Repeated[]; failed: number }> {
  const there = await present(methods)
  const measured = new Map<Method, Measured[]>(there.map((method) => [method, []]))
  const failures = new Set<Method>()
  await calibration.sample()
  for (let run = 1; run <= runs; run++) {
    for (const method of there) {
      if (failures.has(method)) continue
      const name = `${runs === 1 ? '' : `run ${run}: `}${method.name}`
      try {
        const one = await measure(method, rows)
        measured.get(method)!.push(one)
        say(`${name}: ${one.seconds.toFixed(1)} s, ${grouped(one.rowsPerSecond)} rows/s`)
      } catch (error) {
        failures.add(method)
        say(`${name} failed: ${(error as Error).message}`)
      }
      await calibration.sample()
    }
  }
  const good = there.filter((method) => !failures.has(method))
  return { results: good.map((method) => repeated(measured.get(method)!, method.shares)), failed: failures.size }
}

async function present(methods: readonly Method[]): Promise<Method[]> {
  if (!methods.some((method) => method.name === 'pgroll') || (await findOnPath('pgroll'))) return [...methods]
  say('pgroll is left out: there is no pgroll program on the PATH')
  return methods.filter((method) => method.name !== 'pgroll')
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)
