import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAgent } from '../../agent/src/agent.ts'
import { loadConfig } from '../../agent/src/config.ts'
import type { FailpointHook } from '../../agent/src/kind/failpoints.ts'
import { loadRollouts } from '../../agent/src/rollout/compileRollout.ts'
import { agentClient, type TestAgent } from './agent.ts'
import { agentEnvironment } from './agentProcess.ts'
import { freePort } from './server.ts'
import { isOk, waitFor } from './waitFor.ts'

/** Runs a real agent in this process. It calls `reached` between any two of its statements. */
export async function withFailpointAgent<T>(
  url: string,
  file: string,
  reached: FailpointHook,
  use: (agent: TestAgent) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-rollouts-'))
  await writeFile(join(folder, 'rollout.yaml'), file)
  const config = loadConfig(agentEnvironment(url, folder, await freePort(), 'agent-1'))
  const rollouts = await loadRollouts(folder)
  const agent = await startAgent(config, rollouts, '0.0.0', () => undefined, { reached })
  try {
    await waitFor('the agent is ready', () => isOk(`${agent.url}/readyz`), { seconds: 60 })
    return await use({ agent, ...agentClient(agent.url, rollouts[0]!.name) })
  } finally {
    await agent.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
