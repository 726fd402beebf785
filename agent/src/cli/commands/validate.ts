import { Option } from 'commander'
import { Layer, ReportFormat } from '../../contract/index.ts'
import { Exit } from '../exit.ts'
import { reportFile, writeReport } from '../report.ts'
import { runOperation, withRun, type RunOptions } from '../runOperation.ts'
import { openRollout, withTarget, type Register } from '../session.ts'
import type { Terminal } from '../terminal.ts'
import { validationLines } from '../text.ts'
import { exitOfVerdict } from '../verdict.ts'
import { readContent } from './baseline.ts'

interface ValidateOptions extends RunOptions {
  readonly fullValidation?: boolean
  readonly layer?: Layer[]
  readonly check?: string[]
  readonly generateReport?: boolean
  readonly format?: ReportFormat
  readonly output?: string
  readonly performanceBaseline?: string
}

export const registerValidate: Register = (program, run) => {
  withRun(withTarget(program.command('validate')))
    .description('ask every check of the four layers, or some; exit code 0 pass, 1 fail, 4 inconclusive')
    .addOption(
      new Option('--full-validation', 'every check of every layer (the default)').conflicts(['layer', 'check']),
    )
    .addOption(
      new Option(
        '--layer <layers...>',
        'only these layers; others stay as the last validation of them left them',
      ).choices(Layer.options),
    )
    .option('--check <names...>', 'only these checks, by name')
    .option('--generate-report', 'afterwards write the report of the rollout, signed when the agent has a key')
    .addOption(
      new Option('--format <format>', 'of the report; default: what the end of --output says, else md').choices(
        ReportFormat.options,
      ),
    )
    .option('--output <file>', 'where the report goes (default: sti-report-<rollout>-<environment>.<format>)')
    .option('--performance-baseline <file>', 'compare with the baseline in this file, in this run only')
    .action(run(validate))
}

async function validate(terminal: Terminal, options: ValidateOptions): Promise<Exit> {
  const file = await reportFile(terminal, options)
  const { performanceBaseline } = options
  const content = performanceBaseline === undefined ? null : await readContent(terminal, performanceBaseline)
  const { target, rollout, output } = await openRollout(terminal, options)
  const given = content && (await target.agent.importBaseline(rollout.rollout, { content, oneRunOnly: true }))
  const request = {
    kind: 'validation' as const,
    environment: target.environment,
    parameters: {
      layers: options.layer,
      checks: options.check,
      ...(options.fullValidation ? { full: true } : {}),
      ...(given ? { baseline: given.id } : {}),
    },
    reason: options.reason,
  }
  const operation = await runOperation(target, rollout.rollout, request, output, options)
  if (operation === null || options.detach) return Exit.done
  if (operation.state !== 'succeeded') return Exit.failed
  const validation = await target.agent.validation(rollout.rollout, Number(operation.result?.['validation']))
  for (const line of validationLines(validation)) output.line(line)
  output.value(validation)
  if (file !== null) await writeReport(terminal, target, rollout.rollout, file, output)
  return exitOfVerdict[validation.verdict]
}
