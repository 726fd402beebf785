import type { PublicKey } from '../../contract/index.ts'
import { Exit, usage } from '../exit.ts'
import { openRollout, openTarget, withTarget, type CommonOptions, type Register } from '../session.ts'
import type { Terminal } from '../terminal.ts'
import { readJson } from './verify.ts'

interface PromoteOptions extends CommonOptions {
  readonly force?: boolean
  readonly reason?: string
}

export const registerPromote: Register = (program, run) => {
  withTarget(program.command('promote').argument('[report]', 'a signed report of the other environment, as JSON'))
    .description('hand in what the rollout file wants of another environment before the flag may go on here')
    .option('--force', 'answer for it instead of a report; needs an admin token and --reason')
    .option('--reason <text>', 'why')
    .action(run(promote))
  withTarget(program.command('signing-key'))
    .description('the public key of an environment’s reports, for the list of trusted keys of the next one')
    .action(run(signingKey))
}

async function promote(terminal: Terminal, file: string | undefined, options: PromoteOptions): Promise<Exit> {
  const { force = false, reason } = options
  if (force === (file !== undefined)) throw usage('Name a report, or --force, and not both.')
  if (force && !reason) throw usage('--force needs --reason: it is kept, and later reports show it.')
  const report = file === undefined ? undefined : await readJson(terminal, file)
  const { target, rollout, output } = await openRollout(terminal, options)
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
  return Exit.done
}

async function signingKey(terminal: Terminal, options: CommonOptions): Promise<Exit> {
  const { target } = await openTarget(terminal, options)
  const keys: PublicKey[] = []
  for (const agent of target.agents) {
    const { signingKey, agent: name } = await agent.status()
    if (signingKey === null) throw usage(`The agent ${name} has no signing key: set STI_SIGNING_KEY_FILE on it.`)
    if (!keys.some(({ kid }) => kid === signingKey.kid)) keys.push(signingKey)
  }
  terminal.stdout.write(`${JSON.stringify({ keys }, null, 2)}\n`)
  return Exit.done
}
