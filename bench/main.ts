import { writeFile } from 'node:fs/promises'
import { startCalibration } from './calibration.ts'
import { methodBars } from './chart/methods.ts'
import { comparison, comparisonGoals } from './compare.ts'
import { foreground } from './foreground/main.ts'
import { HELP, parseOptions, UsageError, type Options } from './options.ts'
import { goalLines, goals } from './reach.ts'
import { NOTES, resultsTable } from './results.ts'
import { runAll } from './runs.ts'
import { validation } from './validation/main.ts'

try {
  const options = await parseOptions(process.argv.slice(2))
  if (options === 'help') process.stdout.write(HELP)
  else process.exitCode = await bench(options)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}

/** Answers the exit code: 1 when a method failed. */
async function bench(options: Options): Promise<number> {
  const calibration = await startCalibration()
  try {
    const code = options.validation
      ? await validation(options, calibration)
      : options.foreground
        ? await foreground(options, calibration)
        : await methods(options, calibration)
    const warning = calibration.warning()
    if (warning !== null) process.stdout.write(`\n${warning}\n`)
    return code
  } finally {
    await calibration.stop()
  }
}

async function methods(options: Options, calibration: Awaited<ReturnType<typeof startCalibration>>): Promise<number> {
  const { results, failed } = await runAll(options, calibration)
  const measured = results.map((one) => one.median)
  process.stdout.write(`${options.rows} rows:\n\n${resultsTable(results)}\n${NOTES}\n`)
  if (options.compare) process.stdout.write(`${comparison(measured, options.compare)}\n`)
  const all = [...goals(measured), ...(options.compare ? comparisonGoals(measured, options.compare) : [])]
  process.stdout.write(goalLines(all))
  if (options.json) await writeFile(options.json, `${JSON.stringify(measured, null, 2)}\n`)
  if (options.svg) await writeFile(options.svg, methodBars(measured))
  return failed === 0 ? 0 : 1
}
