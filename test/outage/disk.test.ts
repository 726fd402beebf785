import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Operation } from '../../agent/src/contract/index.ts'
import { TOKENS } from '../support/agent.ts'
import type { AgentProcess } from '../support/agentProcess.ts'
import { withBusyBackfill, isReady, readOperation } from './busyBackfill.ts'
import { withSmallDisk } from './smallDisk.ts'
import { waitFor } from '../support/waitFor.ts'

async function readServedFlag(agent: AgentProcess): Promise<boolean> {
  const answer = await fetch(`${agent.url}/ofrep/v1/evaluate/flags/vehicles-sti`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKENS.flag}`, 'content-type': 'application/json' },
    body: JSON.stringify({ context: { targetingKey: 'x' } }),
  })
  return ((await answer.json()) as { value: boolean }).value
}

test('if the WAL disk is full, the flag turns off from memory, and the backfill resumes once there is space', async () => {
  let how = ''
  const mounted = await withSmallDisk(160, async ({ server, fill, free }) => {
    const found = await withBusyBackfill({ url: server.url, rows: 12_000 }, async ({ agent, id, sql }) => {
      const turn = (enabled: boolean): Promise<{ status: number; body: Operation }> =>
        agent.post<Operation>('/v1/rollouts/vehicles/operations', {
          kind: 'flag',
          environment: 'staging',
          reason: 'test',
          parameters: enabled ? { enabled, percentage: 100, force: true } : { enabled },
        })
      expect(await turn(true)).toMatchObject({ status: 202 })
      expect(await readServedFlag(agent)).toBe(true)
      await fill(0)
      // Writes of another session fill the rest of the current segment.
      const filling = sql
        .unsafe('create table public.bulk as select repeat(md5(n::text), 30) as text from generate_series(1, 200000) n')
        .then(
          () => 'written',
          (error: { code: string }) => error.code,
        )
      await waitFor(
        'every write fails',
        async () => !(await isReady(agent)) || (await readOperation(agent, id)).state === 'paused',
        { seconds: 60, ignoreErrors: true },
      )
      how = await filling
      expect(how).not.toBe('written')
      const off = await turn(false)
      expect(off).toMatchObject({ status: 202 })
      expect(await readServedFlag(agent)).toBe(false)
      await sleep(3_000)
      expect(await readServedFlag(agent)).toBe(false)
      await free()
      await server.crash()
      await server.restart()
      await waitFor('ready again', () => isReady(agent), { ignoreErrors: true })
      await waitFor(
        'the off is written',
        async () => {
          const [flag] = await sql<{ enabled: boolean }[]>`select enabled from sti.flag`
          return flag?.enabled === false
        },
        { ignoreErrors: true },
      )
      // A disk error pauses the backfill until a person frees space; a server crash because of it does not.
      if ((await readOperation(agent, id)).state === 'paused') await agent.post(`/v1/operations/${id}/resume`, {})
    })
    console.log(`WAL disk full (${how}): ${found}`)
  })
  if (!mounted) console.log('the WAL disk was not filled: file systems cannot be mounted here')
})
