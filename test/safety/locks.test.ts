import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { readEventMessages, QUIET_LOG, controlOperation } from '../support/operations.ts'
import { withSession } from '../support/faultInjection.ts'
import { waitFor } from '../support/waitFor.ts'

test('waiting DDL names the lock holder, does not block readers and writers, and can be paused and resumed', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        const id = await withSession(url, async (session) => {
          await session.unsafe('begin; select from public.vehicles')
          const [{ pid }] = (await session`select pg_backend_pid() as pid`) as unknown as [{ pid: number }]
          const operation = await agent.request('expand')
          const event = await waitFor('the lock holder is named', async () =>
            (await readEventMessages(agent, operation.id)).find((message) =>
              /: waiting for a lock held by/.test(message),
            ),
          )
          expect(event).toMatch(
            new RegExp(
              `pid ${pid} \\(postgres, application somebody, idle in transaction, transaction [^,]* old, last statement: [^)]*\\)`,
            ),
          )
          await withSession(url, async (other) => {
            await other.unsafe(`set statement_timeout = '1s'; update public.vehicles set name = name`)
          })
          await controlOperation(agent, operation.id, 'pause')
          expect((await agent.waitForEnd(operation.id)).state).toBe('paused')
          return operation.id
        })
        await controlOperation(agent, id, 'resume')
        await waitFor('it exists', async () => (await agent.rollout()).stage === 'expanded')
      },
      QUIET_LOG,
    )
  })
})
