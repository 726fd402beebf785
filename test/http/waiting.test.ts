import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { runProgram } from '../../agent/src/cli/program.ts'
import type { OperationEvent } from '../../agent/src/contract/index.ts'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { withSti } from '../support/stiCommand.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'
import { waitFor } from '../support/waitFor.ts'

/** A backfill that waits for its custom signal from the beginning, and for ever. */
const WAITING_FILE = `${VEHICLES_FILE}signals: [{ name: queue, sql: select 5, limit: 4 }]\n`

async function withExpandedTable(use: (agent: TestAgent) => Promise<void>): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 500)
    await withAgent(url, WAITING_FILE, async (agent) => {
      await agent.run('expand')
      await use(agent)
    })
  })
}

test('in a pipeline, a command whose operation waits or is paused ends, and says why and what to do', async () => {
  await withExpandedTable(async (agent) => {
    await withSti(async (sti) => {
      const waiting = await sti(agent.url, 'backfill', '--wait-timeout', '3s')
      expect(waiting.code).toBe(5)
      expect(waiting.err).toMatch(/backfill \d+ is running and has made no progress for \d+ s: .*queue/)
      const [, id] = /backfill (\d+) is running/.exec(waiting.err)!
      expect(waiting.err).toContain(`sti operations cancel ${id}`)
      expect(waiting.err).toContain(`sti watch ${id}`)

      // Somebody pauses it while a pipeline follows it.
      const followed = sti(agent.url, 'watch', id!, '--wait-timeout', '10m')
      const paused = await sti(agent.url, 'operations', 'pause', id!, '--reason', 'lunch \u001b[31m')
      expect(paused.code).toBe(0)
      const ended = await followed
      expect(ended.code).toBe(5)
      expect(ended.err).toContain(`backfill ${id} is paused: ann paused it: lunch <U+001B>[31m.`)
      expect(ended.err).toContain(`sti operations resume ${id}`)
      const json = await sti(agent.url, 'watch', id!, '--json')
      expect(json).toMatchObject({ code: 5 })
      expect(JSON.parse(json.err)).toMatchObject({ code: 'paused' })
      expect((await sti(agent.url, 'operations', 'show', id!)).out).toContain(`sti operations resume ${id}`)

      // What it told to do does it.
      expect((await sti(agent.url, 'operations', 'resume', id!)).code).toBe(0)
      expect((await sti(agent.url, 'operations', 'cancel', id!)).code).toBe(0)
      expect(await sti(agent.url, 'watch', id!)).toMatchObject({ code: 1 })
    })
  })
})

test('on a terminal, a pause is explained once, and the command follows until the end', async () => {
  await withExpandedTable(async (agent) => {
    const { id } = await agent.request('backfill')
    await agent.post(`/v1/operations/${id}/pause`, { reason: 'lunch' })
    await agent.waitForEnd(id)
    const stderr = Object.assign(new PassThrough(), { isTTY: true, columns: 120 })
    let shown = ''
    stderr.on('data', (chunk: Buffer) => (shown += chunk.toString()))
    const env = { STI_URL: agent.url, STI_TOKEN: TOKENS.ann }
    const [stdin, stdout] = [new PassThrough(), new PassThrough()]
    const code = runProgram(['watch', String(id)], { stdin, stdout, stderr, env, cwd: '/', home: '/' })
    await waitFor('the pause is explained', () => Promise.resolve(shown.includes(`sti operations resume ${id}`)), {
      seconds: 30,
    })
    expect(shown).toContain('ann paused it: lunch.')
    const { events } = await agent.get<{ events: OperationEvent[] }>(`/v1/operations/${id}/events`)
    expect(events.length).toBeGreaterThan(1)
    await agent.post(`/v1/operations/${id}/cancel`, {})
    expect(await code).toBe(1)
    expect(shown.split('ann paused it').length - 1).toBe(1)
  })
})
