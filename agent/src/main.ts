import { readFile } from 'node:fs/promises'
import { startAgent } from './agent.ts'
import { ConfigError, loadConfig } from './config.ts'
import { toVisibleLines } from './format/visibleText.ts'
import { createLog } from './log.ts'
import { loadRollouts, RolloutFileError } from './rollout/compileRollout.ts'

const SHUTDOWN_TIMEOUT_MS = 10_000

try {
  const config = loadConfig(process.env)
  const rollouts = await loadRollouts(config.rolloutsFolder)
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const log = createLog(config.agent)
  const agent = await startAgent(config, rollouts, version, log)
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
} catch (error) {
  if (error instanceof ConfigError || error instanceof RolloutFileError) {
    process.stderr.write(`${toVisibleLines(error.message)}\n`)
    process.exit(2)
  }
  // Not the error itself: Node.js would print its properties, such as the URL that could not be parsed.
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
}
