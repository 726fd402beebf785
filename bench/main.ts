import { writeFile } from 'node:fs/promises'
import bundlePrograms from '../test/support/programs.ts'
import { startCalibration } from './calibration.ts'
import { methodBars } from './chart/methodBars.ts'
import { runCitusBench } from './citus/main.ts'
import { comparisonTable, comparisonGoals } from './comparison.ts'
import { runConflictsBench } from './conflicts/main.ts'
import { runForegroundBench } from './foreground/main.ts'
import { runHeldRowBench } from './heldRow/main.ts'
import { HELP, parseOptions, UsageError, type BenchOptions } from './options.ts'
import { goalLines, methodGoals } from './goals.ts'
import { RESULTS_NOTES, resultsTable } from './resultsTable.ts'
import { runMethods } from './runMethods.ts'
import { runTenantsBench } from './tenants/main.ts'
import { runValidationBench } from './validation/main.ts'

try {
  const options = await parseOptions(process.argv.slice(2))
  if (options === 'help') process.stdout.write(HELP)
  else process.exitCode = await runBench(options)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}

/** Returns the exit code: 1 if a method failed. */
async function runBench(options: BenchOptions): Promise<number> {
  await bundlePrograms()
  const calibration = await startCalibration()
  try {
    const code = options.heldRow
      ? await runHeldRowBench({ ...options, heldRow: options.heldRow }, calibration)
      : options.validation
        ? await runValidationBench(options, calibration)
        : options.conflicts
          ? await runConflictsBench(options, calibration)
          : options.citus
            ? await runCitusBench({ ...options, citus: options.citus }, calibration)
            : options.tenants
              ? await runTenantsBench({ ...options, tenants: options.tenants }, calibration)
              : options.foreground
                ? await runForegroundBench(options, calibration)
                : await runMethodsBench(options, calibration)
    const warning = calibration.warning()
    if (warning !== null) process.stdout.write(`\n${warning}\n`)
    return code
  } finally {
    await calibration.stop()
  }
}

async function runMethodsBench(
  options: BenchOptions,
  calibration: Awaited<ReturnType<typeof startCalibration>>,
): Promise<number> {
  const { results, failed } = await runMethods(options, calibration)
  const measured = results.map((result) => result.median)
  process.stdout.write(`${options.rows} rows:\n\n${resultsTable(results)}\n${RESULTS_NOTES}\n`)
  if (options.compare) process.stdout.write(`${comparisonTable(measured, options.compare)}\n`)
  const all = [...methodGoals(measured), ...(options.compare ? comparisonGoals(measured, options.compare) : [])]
  process.stdout.write(goalLines(all))
  if (options.json) await writeFile(options.json, `${JSON.stringify(measured, null, 2)}\n`)
  if (options.svg) await writeFile(options.svg, methodBars(measured))
  return failed === 0 ? 0 : 1
}
