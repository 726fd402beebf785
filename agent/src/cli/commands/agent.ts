import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { formatQuantity } from '../../format/format.ts'
import { CliError, ExitCode, usageError } from '../exitCode.ts'
import type { RegisterCommand } from '../commandSetup.ts'
import { createOutput, type Terminal } from '../terminal.ts'

interface AgentOptions {
  readonly check?: boolean
  readonly envFile?: string
  readonly json?: boolean
}

export const registerAgent: RegisterCommand = (program, run) => {
  program
    .command('agent')
    .description('Run an agent, which environment variables configure (docs/operations.md)')
    .option('--check', 'Only check the configuration and the rollout files; connects to nothing')
    .option('--env-file <file>', 'Read variables that are not set from this file, with one NAME=value per line')
    .option('--json', 'Print one JSON value per line')
    .action(run(runOrCheckAgent))
}

async function runOrCheckAgent(terminal: Terminal, options: AgentOptions): Promise<ExitCode> {
  const output = createOutput(terminal, options.json ?? false)
  const env = { ...(await readEnvFile(terminal, options.envFile)), ...terminal.env }
  // A dynamic import, since it loads the whole agent, which no other command needs.
  const { loadAgentInput, runAgent } = await import('../../runAgent.ts')
  try {
    if (!options.check) {
      await runAgent(env)
      return await new Promise<never>(() => undefined)
    }
    const { config, rollouts, groups } = await loadAgentInput(env)
    const { environment, host, port } = config
    const names = [...rollouts, ...groups].map(({ name }) => name)
    output.value({ environment, host, port, rollouts: names })
    output.line(
      `The configuration is valid: environment ${environment}, ${host}:${port}, ` +
        `${formatQuantity(names.length, 'rollout')} (${names.join(', ')}).`,
    )
    return ExitCode.done
  } catch (error) {
    const { code, faults, syscall, address, port } = error as NodeJS.ErrnoException & ListenError & Faults
    if (syscall === 'listen')
      throw new CliError(
        ExitCode.failed,
        'listen',
        `Cannot listen on ${address}:${port} (${code}). Set STI_HOST and STI_PORT to an address that is free.`,
      )
    if (faults === undefined) throw error
    const what = code === 'config' ? 'The configuration' : 'The rollout files'
    throw new CliError(ExitCode.usage, code!, `${what} cannot be used:`, faults)
  }
}

interface ListenError {
  readonly address?: string
  readonly port?: number
}

interface Faults {
  readonly faults?: readonly string[]
}

/** Variables of the environment win over those of the file, as with systemd and containers. */
async function readEnvFile(terminal: Terminal, file: string | undefined): Promise<NodeJS.Dict<string>> {
  if (file === undefined) return {}
  const text = await readFile(resolve(terminal.cwd, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usageError(`Cannot read the file ${file}: ${error.code ?? error.message}.`)
  })
  return parseEnv(text)
}
