import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Acceptances, ColumnDrop, PreparedColumnDrop } from '../../agent/src/contract/index.ts'
import { enableRollout, prepareColumnDrop } from '../column-drop/enabledRollout.ts'
import type { TestAgent } from '../support/agent.ts'

/** Takes the rollout to 100% for the soak time. The cluster has no pg_stat_statements, so an admin accepts these checks. */
export async function enable(agent: TestAgent): Promise<void> {
  await enableRollout(agent)
  for (;;) {
    const { watch } = await agent.get<ColumnDrop>('/v1/rollouts/vehicles/column-drop')
    if (Date.now() > Date.parse(watch.evaluationsWatchedSince ?? '9999-01-01') + 1_500) break
    await sleep(100)
  }
  await prepareColumnDrop(agent)
  const { acceptable } = await agent.get<Acceptances>('/v1/rollouts/vehicles/acceptances')
  expect(new Set(acceptable.map(({ check }) => check))).toEqual(new Set(['no-statement-reads', 'no-statement-writes']))
  for (const { check, subject } of acceptable)
    expect(
      await agent.post('/v1/rollouts/vehicles/acceptances', {
        environment: 'staging',
        check,
        subjects: [subject],
        reason: 'a test',
      }),
    ).toMatchObject({ status: 200 })
}

/** Prepares the column drop, which must not be refused. */
export async function prepare(agent: TestAgent, parameters = {}): Promise<PreparedColumnDrop> {
  const prepared = await prepareColumnDrop(agent, parameters)
  expect(prepared.reasons).toEqual([])
  expect(prepared.prepared).toBe(true)
  return prepared
}
