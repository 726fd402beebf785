import type { PublicKey } from '../../contract/index.ts'
import { ExitCode, usageError } from '../exitCode.ts'
import {
  openCommandRollout,
  openCommandTarget,
  addTargetOptions,
  type CommonOptions,
  type RegisterCommand,
} from '../commandSetup.ts'
import type { Terminal } from '../terminal.ts'
import { readReportJson } from './verify.ts'

interface PromoteOptions extends CommonOptions {
  readonly force?: boolean
  readonly reason?: string
}

export const registerPromote: RegisterCommand = (program, run) => {
  addTargetOptions(program.command('promote').argument('[report]', 'a signed report of the other environment, as JSON'))
    .description('hand in what the rollout file wants of another environment before the flag may go on here')
    .option('--force', 'answer for it instead of a report; needs an admin token and --reason')
    .option('--reason <text>', 'why')
    .action(run(submitReport))
  addTargetOptions(program.command('signing-key'))
    .description('the public key of an environment’s reports, for the list of trusted keys of the next one')
    .action(run(printSigningKeys))
}

async function submitReport(terminal: Terminal, file: string | undefined, options: PromoteOptions): Promise<ExitCode> {
  const { force = false, reason } = options
  if (force === (file !== undefined)) throw usageError('Name a report, or --force, and not both.')
  if (force && !reason) throw usageError('--force needs --reason: it is kept, and later reports show it.')
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
      ? `Promoted to ${target.environment} without a report; later reports show that.`
      : `Promoted from ${gate!.from} to ${target.environment}: validated there at ${gate!.promotion!.validatedAt}.`,
  )
  return ExitCode.done
}

async function printSigningKeys(terminal: Terminal, options: CommonOptions): Promise<ExitCode> {
  const { target } = await openCommandTarget(terminal, options)
  const keys: PublicKey[] = []
  for (const agent of target.agents) {
    const { signingKey, agent: name } = await agent.status()
    if (signingKey === null) throw usageError(`The agent ${name} has no signing key: set STI_SIGNING_KEY_FILE on it.`)
    if (!keys.some(({ kid }) => kid === signingKey.kid)) keys.push(signingKey)
  }
  terminal.stdout.write(`${JSON.stringify({ keys }, null, 2)}\n`)
  return ExitCode.done
}
