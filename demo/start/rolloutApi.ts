import { setTimeout as sleep } from 'node:timers/promises'
import type { RolloutDetail } from '@sti-rollout/agent/contract'
import { agentUrl, type DemoEnvironment } from './environment.ts'

/** Reads the rollout from the agent. */
export async function fetchRollout(environment: DemoEnvironment): Promise<RolloutDetail> {
  const response = await fetch(`${agentUrl(environment)}/v1/rollouts/vehicles`, {
    headers: { authorization: `Bearer ${environment.tokens.personal}` },
    signal: AbortSignal.timeout(10_000),
  })
  if (!response.ok)
    throw new Error(`the agent of ${environment.name} returned ${response.status}: ${await response.text()}`)
  return (await response.json()) as RolloutDetail
}

/** Polls every 200 ms until the condition is met, and returns the rollout. Throws after `seconds`. */
export async function waitForRollout(
  environment: DemoEnvironment,
  condition: (rollout: RolloutDetail) => boolean,
  description: string,
  seconds: number,
): Promise<RolloutDetail> {
  const deadline = Date.now() + seconds * 1000
  for (;;) {
    const rollout = await fetchRollout(environment)
    if (condition(rollout)) return rollout
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${description}`)
    await sleep(200)
  }
}
