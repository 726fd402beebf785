import { setTimeout as sleep } from 'node:timers/promises'
import type { RolloutDetail } from '@sti-rollout/agent/contract'
import { agentUrl, type DemoEnvironment } from './environment.ts'

/** The rollout as the agent shows it. */
export async function fetchRollout(environment: DemoEnvironment): Promise<RolloutDetail> {
  const response = await fetch(`${agentUrl(environment)}/v1/rollouts/vehicles`, {
    headers: { authorization: `Bearer ${environment.tokens.personal}` },
    signal: AbortSignal.timeout(10_000),
  })
  if (!response.ok)
    throw new Error(`the agent of ${environment.name} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as RolloutDetail
}

/** Looks each 200 ms until the rollout is as wanted; gives it, or throws after `seconds`. */
export async function waitForRollout(
  environment: DemoEnvironment,
  condition: (rollout: RolloutDetail) => boolean,
  what: string,
  seconds: number,
): Promise<RolloutDetail> {
  const deadline = Date.now() + seconds * 1000
  for (;;) {
    const rollout = await fetchRollout(environment)
    if (condition(rollout)) return rollout
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${seconds} s`)
    await sleep(200)
  }
}
