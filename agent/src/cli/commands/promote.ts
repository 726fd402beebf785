import type { PublicKey } from '../../contract/index.ts'
import { ExitCode, usageError } from '../exitCode.ts'
import {
  openCommandRollout,
  openCommandTarget,
  addTargetOptions,
  type CommonOptions,
  type RegisterCommand,
} from '../commandSetup.ts'
import { writeJson, type Terminal } from '../terminal.ts'
import { readReportJson } from './verify.ts'

interface PromoteOptions extends CommonOptions {
  readonly force?: boolean
  readonly reason?: string
}

export const registerPromote: RegisterCommand = (program, run) => {
  addTargetOptions(program.command('promote').argument('[report]', 'Signed JSON report of the other environment'))
    .description(
      'Submit the report that the rollout file requires from another environment before the flag can be turned on',
    )
    .option('--force', 'Promote without a report (requires an admin token and --reason)')
    .option('--reason <text>', 'Reason, shown in later reports')
    .action(run(submitReport))
  addTargetOptions(program.command('signing-key'))
    .description('Print the public key of an environment’s reports, for the trusted keys of the next environment')
    .action(run(printSigningKeys))
}

async function submitReport(terminal: Terminal, file: string | undefined, options: PromoteOptions): Promise<ExitCode> {
  const { force = false, reason } = options
  if (force === (file !== undefined)) throw usageError('Specify either a report or --force.')
  if (force && !reason) throw usageError('--force requires --reason, which later reports show.')
  const report = file === undefined ? undefined : await readReportJson(terminal, file)
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const { gate, promotions } = await target.agent.promote(rollout.rollout, {
    environment: target.environment,
    force,
    ...(report === undefined ? {} : { report }),
    ...(reason === undefined ? {} : { reason }),
  })
  output.value({ gate, promotions })
  output.line(
    force
      ? `Promoted to ${target.environment} without a report. Later reports show this.`
      : `Promoted from ${gate!.from} to ${target.environment}. Validated in ${gate!.from} at ${gate!.promotion!.validatedAt}.`,
  )
  return ExitCode.done
}

async function printSigningKeys(terminal: Terminal, options: CommonOptions): Promise<ExitCode> {
  const { target, output } = await openCommandTarget(terminal, options)
  const keys: PublicKey[] = []
  for (const agent of target.agents) {
    const { signingKey, agent: name } = await agent.status()
    if (signingKey === null)
      throw usageError(`Agent ${name} has no signing key. Set STI_SIGNING_KEY_FILE for this agent.`)
    if (!keys.some(({ kid }) => kid === signingKey.kid)) keys.push(signingKey)
  }
  writeJson(terminal.stdout, { keys }, output.json ? undefined : 2)
  return ExitCode.done
}
