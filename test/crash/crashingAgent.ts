import { appendFileSync } from 'node:fs'
import { startAgent } from '../../agent/src/agent.ts'
import { loadConfig } from '../../agent/src/config.ts'
import type { FailpointName, FailpointHook } from '../../agent/src/kind/failpoints.ts'
import { loadRollouts } from '../../agent/src/rollout/compileRollout.ts'

/** The message to a preloaded agent that will be killed: it waits for this message with all modules loaded. */
export interface CrashPlan {
  readonly environment: Record<string, string>
  /** The agent is killed this many milliseconds after it has reached one of these points this many times. */
  readonly points: readonly FailpointName[]
  readonly arrival: number
  readonly delayMs: number
  /** The file that names the point at which it was killed. */
  readonly crashFile: string
}

/** The real agent, but it kills itself with SIGKILL, like a power loss. */
async function runUntilCrash(doom: CrashPlan): Promise<void> {
  const config = loadConfig(doom.environment)
  const arrivals = new Map<FailpointName, number>()
  let dying = false
  const reached: FailpointHook = async (point) => {
    if (dying || !doom.points.includes(point)) return
    const count = (arrivals.get(point) ?? 0) + 1
    arrivals.set(point, count)
    if (count < doom.arrival) return
    dying = true
    appendFileSync(doom.crashFile, point)
    if (doom.delayMs === 0) process.kill(process.pid, 'SIGKILL')
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), doom.delayMs)
  }
  await startAgent(config, await loadRollouts(config.rolloutsFolder), '0.0.0', () => undefined, { reached })
}

process.once('message', (doom) => void runUntilCrash(doom as CrashPlan))
process.once('disconnect', () => process.exit())
process.send?.('warm')
