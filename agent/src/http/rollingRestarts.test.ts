import { setTimeout as sleep } from 'node:timers/promises'
import { OFREPProvider } from '@openfeature/ofrep-provider'
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider'
import { OpenFeature } from '@openfeature/server-sdk'
import { OpenFeature as WebOpenFeature } from '@openfeature/web-sdk'
import { expect } from 'vitest'
import type { FlagStatus } from '../contract/index.ts'
import { TOKENS, withAgent, type TestAgent } from '../../../test/support/agent.ts'
import { withDatabase } from '../../../test/support/database.ts'
import { requestRefused } from '../../../test/support/operations.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'
import { createVehicles, VEHICLES_FILE } from '../../../test/support/vehicles.ts'
import { waitFor } from '../../../test/support/waitFor.ts'

const FILE = VEHICLES_FILE.replace('vehicles-sti }', 'vehicles-sti, longestRequest: 2s }')
const PROCESSES = 10

/** A process of the application: it asks for each request that it serves, until it is stopped. */
function startProcess(url: string, name: string): { answers: boolean[]; stop(): Promise<void> } {
  const answers: boolean[] = []
  let running = true
  const serve = async (): Promise<void> => {
    const headers: [string, string][] = [
      ['Authorization', `Bearer ${TOKENS.flag}`],
      ['X-Sti-Client', name],
    ]
    await OpenFeature.setProviderAndWait(name, new OFREPProvider({ baseUrl: url, headers }))
    const client = OpenFeature.getClient(name)
    for (let request = 0; running; request++) {
      answers.push(await client.getBooleanValue('vehicles-sti', false, { targetingKey: `user-${request}` }))
      await sleep(20)
    }
  }
  const serving = serve()
  return {
    answers,
    async stop() {
      running = false
      await serving
    },
  }
}

/** A page in a browser: it asks for all flags at once, keeps them, and asks again at this interval. */
async function openPage(url: string, pollInterval: number): Promise<void> {
  const provider = new OFREPWebProvider({
    baseUrl: url,
    headers: [
      ['Authorization', `Bearer ${TOKENS.flag}`],
      ['X-Sti-Client', 'page-1'],
    ],
    pollInterval,
    cacheMode: 'disabled',
  })
  await WebOpenFeature.setProviderAndWait(provider, { targetingKey: 'user-1' })
}

const readStaleNames = async (agent: TestAgent): Promise<string[]> => {
  const { flag } = await agent.rollout()
  return flag.clients.flatMap(({ client, stale }) => (stale ? [client] : []))
}

test('rolling restarts with the flag on leave no stale client once the longest request is over; a page that keeps its answer is waited for', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 200)
    await withAgent(
      url,
      FILE,
      async (agent) => {
        for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
        await agent.run('flag', { enabled: true })
        const processes = Array.from({ length: PROCESSES }, (_, index) => startProcess(agent.url, `web-${index}-a`))
        await openPage(agent.url, 200)
        await waitFor('each was answered on', () => processes.every(({ answers }) => answers.includes(true)))
        for (let index = 0; index < PROCESSES; index++) {
          const next = startProcess(agent.url, `web-${index}-b`)
          await waitFor('the next one serves', () => next.answers.includes(true))
          await processes[index]!.stop()
          processes[index] = next
        }
        await WebOpenFeature.clearProviders()
        await agent.run('rollback', { scope: 'flag' })
        await waitFor('each serves off', () => processes.every(({ answers }) => answers.at(-1) === false))
        await sleep(2_500)
        expect(await readStaleNames(agent)).toEqual(['page-1'])

        // Nobody who only has its name makes it current.
        const evaluate = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
          fetch(`${agent.url}/ofrep/v1/evaluate/flags${path}`, {
            method: 'POST',
            headers: { authorization: `Bearer ${TOKENS.flag}`, 'x-sti-client': 'page-1', ...headers },
            body: '{"context":{"targetingKey":"user-1"}}',
          })
        await evaluate('/vehicles-sti')
        const shown = (await agent.rollout()).flag.clients.find(({ stale }) => stale)!.instance
        for (const etag of ['"x"', `"${'a'.repeat(43)}.${shown.padEnd(22, 'a')}"`, '*'])
          await evaluate('', { 'if-none-match': etag, 'x-sti-instance': shown })
        expect(await readStaleNames(agent)).toEqual(['page-1'])
        expect(await requestRefused(agent, 'rollback', { scope: 'data', confirm: 'vehicles' })).toMatch(
          /page-1.*sti accept-client --all --reason/,
        )

        await sql`update sti.flag_client set last_seen_at = last_seen_at - interval '61 s' where client = 'page-1'`
        await agent.agent.stop().catch(() => undefined)
        for (const process of processes) await process.stop()
      },
      { log: () => undefined },
    )
    await withAgent(url, FILE, async (agent) => {
      await waitFor('it knows the page', async () => (await readStaleNames(agent)).includes('page-1'))
      const body = { all: true, reason: 'the page is closed' }
      const accepted = await agent.post<FlagStatus>('/v1/rollouts/vehicles/flag-clients/accept', body)
      expect(accepted).toMatchObject({ status: 200, body: { consistent: true } })
      await agent.run('rollback', { scope: 'data', confirm: 'vehicles' })
      expect((await agent.rollout()).incidents).toEqual([])
    })
    await OpenFeature.clearProviders()
  })
})
