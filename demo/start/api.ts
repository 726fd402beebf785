import type { RolloutDetail } from '@sti-rollout/agent/contract'
import { agentUrl, type DemoEnvironment } from './environment.ts'

/** The rollout as the agent shows it. */
export async function rolloutOf(environment: DemoEnvironment): Promise<RolloutDetail> {
  const response = await fetch(`${agentUrl(environment)}/v1/rollouts/vehicles`, {
    headers: { authorization: `Bearer ${environment.tokens.personal}` },
    signal: AbortSignal.timeout(10_000),
  })
  if (!response.ok)
    throw new Error(`the agent of ${environment.name} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as RolloutDetail
}

/** Looks each 200 ms until the rollout is as wanted; gives it, or throws after `seconds`. */
export async function untilRollout(
  environment: DemoEnvironment,
  wanted: (rollout: RolloutDetail) => boolean,
  what: string,
  seconds: number,
): Promise<RolloutDetail> {
  const until = Date.now() + seconds * 1000
  for (;;) {
    const rollout = await rolloutOf(environment)
    if (wanted(rollout)) return rollout
    if (Date.now() > until) throw new Error(`${what} did not happen within ${seconds} s`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
