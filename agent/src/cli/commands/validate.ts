import { Option } from 'commander'
import { ValidationLayer, ReportFormat } from '../../contract/index.ts'
import { ExitCode, EXIT_CODE_OF_VERDICT } from '../exitCode.ts'
import { resolveReportDestination, writeReport } from '../reportFile.ts'
import { runOperation, addRunOptions, type RunOptions } from '../runOperation.ts'
import { openOperationRollout, addTargetOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Terminal } from '../terminal.ts'
import { formatValidation } from '../formatResponses.ts'
import { readBaselineFile } from './baseline.ts'

interface ValidateOptions extends RunOptions {
  readonly fullValidation?: boolean
  readonly layer?: ValidationLayer[]
  readonly check?: string[]
  readonly generateReport?: boolean
  readonly format?: ReportFormat
  readonly output?: string
  readonly performanceBaseline?: string
}

export const registerValidate: RegisterCommand = (program, run) => {
  addRunOptions(addTargetOptions(program.command('validate')))
    .description('Run the checks of all four layers, or some of them; exit code 0: pass, 1: fail, 4: inconclusive')
    .addOption(
      new Option('--full-validation', 'Run every check of every layer (default)').conflicts(['layer', 'check']),
    )
    .addOption(
      new Option('--layer <layers...>', 'Run only these layers; the others keep their last result').choices(
        ValidationLayer.options,
      ),
    )
    .option('--check <names...>', 'Run only these checks')
    .option('--generate-report', 'Then write the report of the rollout, signed if the agent has a key')
    .addOption(
      new Option('--format <format>', 'Format of the report (default: the extension of --output, else md)').choices(
        ReportFormat.options,
      ),
    )
    .option('--output <file>', 'File for the report (default: sti-report-<rollout>-<environment>.<format>)')
    .option('--performance-baseline <file>', 'Compare with the baseline in this file, for this run only')
    .action(run(runValidation))
}

async function runValidation(terminal: Terminal, options: ValidateOptions): Promise<ExitCode> {
  const destination = await resolveReportDestination(terminal, options)
  const { performanceBaseline } = options
  const content = performanceBaseline === undefined ? null : await readBaselineFile(terminal, performanceBaseline)
  const { target, rollout, output } = await openOperationRollout(terminal, options)
  const importedBaseline =
    content && (await target.agent.importBaseline(rollout.rollout, { content, oneRunOnly: true }))
  const request = {
    kind: 'validation' as const,
    environment: target.environment,
    parameters: {
      layers: options.layer,
      checks: options.check,
      ...(options.fullValidation ? { full: true } : {}),
      ...(importedBaseline ? { baseline: importedBaseline.id } : {}),
    },
    reason: options.reason,
  }
  const operation = await runOperation(target, rollout.rollout, request, output, options)
  if (operation === null || options.detach) return ExitCode.done
  if (operation.state !== 'succeeded') return ExitCode.failed
  // Of several tables, each has a validation of its own.
  if (operation.result?.['validation'] === undefined)
    return operation.result?.['verdict'] === 'pass' ? ExitCode.done : EXIT_CODE_OF_VERDICT.fail
  const validation = await target.agent.validation(rollout.rollout, Number(operation.result?.['validation']))
  for (const line of formatValidation(validation, terminal.stdout.columns)) output.line(line)
  output.value(validation)
  if (destination !== null) await writeReport(terminal, target, rollout.rollout, destination, output)
  return EXIT_CODE_OF_VERDICT[validation.verdict]
}
