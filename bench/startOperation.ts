import type { Operation } from '../agent/src/contract/index.ts'
import { agentUrl, type DemoEnvironment } from '../demo/start/environment.ts'

/** Starts an operation on the demo's rollout, without waiting for its end. @throws Error if the agent refuses it */
export async function startOperation(
  environment: DemoEnvironment,
  kind: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Operation> {
  const answer = await fetch(`${agentUrl(environment)}/v1/rollouts/vehicles/operations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${environment.tokens.personal}`, 'content-type': 'application/json' },
    body: JSON.stringify({ kind, environment: environment.name, parameters, reason: 'benchmark' }),
  })
  if (answer.status !== 202) throw new Error(`${kind} was refused with ${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as Operation
}
