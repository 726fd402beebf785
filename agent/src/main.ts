import { ConfigError } from './config.ts'
import { toVisibleLines } from './format/visibleText.ts'
import { RolloutFileError } from './rollout/compileRollout.ts'
import { runAgent } from './runAgent.ts'

try {
  await runAgent(process.env)
} catch (error) {
  if (error instanceof ConfigError || error instanceof RolloutFileError) {
    process.stderr.write(`${toVisibleLines(error.message)}\n`)
    process.exit(2)
  }
  // Not the error itself: Node.js would print its properties, such as the URL that could not be parsed.
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
}
