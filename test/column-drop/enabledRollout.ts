import { setTimeout as sleep } from 'node:timers/promises'
import {
  COLUMN_DROP_REFUSED,
  type ColumnDrop,
  type ColumnDropCheck,
  type PreparedColumnDrop,
} from '../../agent/src/contract/index.ts'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDedicatedServer, type TestDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'

/** A soak time short enough for a test. */
export const SOAK_FILE = `${VEHICLES_FILE}soak: 3s\n`

export const PREPARATION_DEFAULTS = { validateData: false, confirm: 'vehicles' }

/** Takes a rollout to 100%. */
export async function enableRollout(agent: TestAgent): Promise<void> {
  const { stage } = await agent.rollout()
  if (stage === 'new') await agent.run('expand')
  await agent.run('backfill')
  await validateIntegrity(agent)
  await agent.run('finalize')
  await agent.run('flag', { enabled: true, percentage: 100 })
  await validateIntegrity(agent)
}

/** The only layer that the file requires: the state of the test machine is irrelevant here. */
export async function validateIntegrity(agent: TestAgent): Promise<void> {
  await agent.run('validation', { layers: ['integrity'] })
  const { validation } = await agent.rollout()
  const bad = validation!.checks.filter(({ verdict }) => verdict !== 'pass')
  if (bad.length > 0)
    throw new Error(`the validation did not pass: ${bad.map(({ check, detail }) => `${check} (${detail})`).join('; ')}`)
}

/** A table of 300 rows whose flag has been at 100% for the soak time. */
export async function withEnabledRollout(
  use: (parts: { agent: TestAgent; database: TestDatabase }) => Promise<void>,
  options: Parameters<typeof withAgent>[3] = {},
  file = SOAK_FILE,
  soaks = true,
): Promise<void> {
  await withDedicatedServer(async (database) => {
    await createVehicles(database.sql, 300)
    await withAgent(
      database.url,
      file,
      async (agent) => {
        await enableRollout(agent)
        if (soaks) await waitForSoak(agent)
        await use({ agent, database })
      },
      options,
    )
  })
}

/** Waits for the soak time, counted from now and from the start of the watch. */
export async function waitForSoak(agent: TestAgent, rollout = 'vehicles'): Promise<void> {
  const now = Date.now()
  for (;;) {
    const { watch } = await agent.get<ColumnDrop>(`/v1/rollouts/${rollout}/column-drop`)
    const since = [watch.evaluationsWatchedSince, watch.statementsWatchedSince].map((at) =>
      at === null ? Infinity : Date.parse(at),
    )
    if (Date.now() > Math.max(now, ...since) + 3_200) return
    await sleep(100)
  }
}

/** Prepares the column drop and returns the outcome. */
export async function prepareColumnDrop(
  agent: TestAgent,
  parameters: Record<string, unknown> = {},
): Promise<PreparedColumnDrop> {
  const { id } = await agent.request('column-drop', { ...PREPARATION_DEFAULTS, ...parameters })
  const { state, errorCode, error } = await agent.waitForEnd(id)
  if (state !== 'succeeded' && errorCode !== COLUMN_DROP_REFUSED) throw new Error(`column-drop ${state}: ${error}`)
  return (await agent.get<ColumnDrop>('/v1/rollouts/vehicles/column-drop')).last!
}

export function findColumnDropCheck({ checks }: Pick<PreparedColumnDrop, 'checks'>, name: string): ColumnDropCheck {
  const check = checks.find((candidate) => candidate.check === name)
  if (check === undefined)
    throw new Error(`no check ${name}; there are ${checks.map((other) => other.check).join(', ')}`)
  return check
}

/** Evaluates the flag like the application. */
export async function evaluateFlag(agent: TestAgent, client?: string): Promise<void> {
  await fetch(`${agent.url}/ofrep/v1/evaluate/flags/vehicles-sti`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${TOKENS.flag}`,
      'content-type': 'application/json',
      ...(client === undefined ? {} : { 'x-sti-client': client }),
    },
    body: JSON.stringify({ context: { targetingKey: 'one' } }),
  })
}
