import type { FailedRow, Operation, OperationEvent, Problem } from '../../agent/src/contract/index.ts'
import { TOKENS, type TestAgent } from './agent.ts'

/** For tests that provoke errors: hides the log of the agent. */
export const QUIET_LOG = { log: (): void => undefined }

export function readOperation(agent: TestAgent, id: number): Promise<Operation> {
  return agent.get<Operation>(`/v1/operations/${id}`)
}

export async function readEventMessages(agent: TestAgent, id: number): Promise<string[]> {
  const { events } = await agent.get<{ events: OperationEvent[] }>(`/v1/operations/${id}/events`)
  return events.map((event) => event.message)
}

/** Requests an operation that must be refused, and returns the reasons. */
export async function requestRefused(agent: TestAgent, kind: string, parameters: object = {}): Promise<string> {
  const { rollout } = await agent.rollout()
  const body = { kind, environment: 'staging', parameters, reason: 'test' }
  const answer = await agent.post<Problem>(`/v1/rollouts/${rollout}/operations`, body)
  if (answer.status !== 409) throw new Error(`${kind} returned ${answer.status}, not 409`)
  return (answer.body.reasons ?? []).join('\n')
}

/** Runs an operation that must not succeed, and returns it once it has ended or is paused. */
export async function runToFailure(
  agent: TestAgent,
  kind: 'expand' | 'backfill' | 'validation' | 'finalize' | 'rollback',
  parameters: Record<string, unknown> = {},
): Promise<Operation> {
  const operation = await agent.waitForEnd((await agent.request(kind, parameters)).id)
  if (operation.state === 'succeeded') throw new Error(`${kind} succeeded`)
  return operation
}

export async function readFailedRows(agent: TestAgent): Promise<FailedRow[]> {
  const { rollout } = await agent.rollout()
  return (await agent.get<{ failedRows: FailedRow[] }>(`/v1/rollouts/${rollout}/failed-rows`)).failedRows
}

export async function controlOperation(
  agent: TestAgent,
  id: number,
  cause: 'pause' | 'resume' | 'cancel',
): Promise<void> {
  const { status, body } = await agent.post(`/v1/operations/${id}/${cause}`, {})
  if (status !== 202) throw new Error(`${cause}: ${status} ${JSON.stringify(body)}`)
}

export async function tuneOperation(agent: Pick<TestAgent, 'url'>, id: number, patch: object): Promise<void> {
  const headers = { authorization: `Bearer ${TOKENS.ann}`, 'content-type': 'application/json' }
  const answer = await fetch(`${agent.url}/v1/operations/${id}`, {
    method: 'PATCH',
    headers,
    body: JSON.stringify(patch),
  })
  if (answer.status !== 202) throw new Error(`tune: ${answer.status} ${await answer.text()}`)
}
