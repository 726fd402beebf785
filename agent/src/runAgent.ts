import { readFile } from 'node:fs/promises'
import { startAgent } from './agent.ts'
import { loadConfig, type Config } from './config.ts'
import { createLog } from './log.ts'
import { loadRolloutsAndGroups, type LoadedRollouts } from './rollout/compileRollout.ts'

const SHUTDOWN_TIMEOUT_MS = 10_000

/**
 * Reads the configuration and the rollout files; connects to nothing.
 *
 * @throws ConfigError
 * @throws RolloutFileError
 */
export async function loadAgentInput(env: NodeJS.ProcessEnv): Promise<{ readonly config: Config } & LoadedRollouts> {
  const config = loadConfig(env)
  const { rollouts, groups } = await loadRolloutsAndGroups(config.rolloutsFolder)
  return { config, rollouts, groups }
}

/**
 * Runs an agent, which ends the process on SIGTERM or SIGINT at a safe point.
 *
 * @throws ConfigError
 * @throws RolloutFileError
 */
export async function runAgent(env: NodeJS.ProcessEnv): Promise<void> {
  const { config, rollouts, groups } = await loadAgentInput(env)
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const log = createLog(config.agent)
  const agent = await startAgent(config, rollouts, version, log, { groups })
  let stopping = false
  const stop = (signal: string): void => {
    if (stopping) return
    stopping = true
    log({ level: 'info', message: `Received ${signal}; stopping at the next safe point.` })
    setTimeout(() => process.exit(1), SHUTDOWN_TIMEOUT_MS).unref()
    void agent.stop().then(() => process.exit(0))
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  // The driver can throw where no caller can catch it. All state is in the database, so ending the process loses nothing.
  process.on('uncaughtException', (error) => {
    log({
      level: 'error',
      message: `The process ends because of an uncaught error, and another agent takes over its work: ${error.message}`,
      stack: error.stack,
    })
    process.exit(70)
  })
}
