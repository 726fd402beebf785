import { serve } from '@hono/node-server'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { readEnv } from '../../demo/env.ts'
import { buildApp } from '../../demo/service/app.ts'
import { connectFlag, type FlagEvaluation } from '../../demo/service/flag.ts'
import { vehicleStore, type TypeSource } from '../../demo/service/vehicleStore.ts'

/** The demo's service, whose new code has a fault: it is slower by a share of each request, or fails some. */
const slowdown = Number(readEnv('SLOWDOWN'))
const failures = Number(readEnv('FAILURES'))
const port = Number(readEnv('PORT'))
const sql = postgres(readEnv('DATABASE_URL'), { max: 10, onnotice: () => undefined })
const evaluate = await connectFlag({
  url: readEnv('FLAG_URL'),
  token: readEnv('FLAG_TOKEN'),
  key: 'vehicles-sti',
  client: `${hostname()}-${port}`,
})
/** Moving average of the time that the evaluation of the flag takes, which is a part of each request. */
let evaluationMs = 2
/** A timer waits for whole milliseconds: what is below one is added up. */
let owedMs = 0

async function flag(user: string): Promise<FlagEvaluation> {
  const began = performance.now()
  const evaluation = await evaluate(user)
  evaluationMs += 0.05 * (performance.now() - began - evaluationMs)
  return evaluation
}

async function withFault<T>(by: TypeSource, work: () => Promise<T>): Promise<T> {
  if (by === 'legacy') return work()
  const began = performance.now()
  if (Math.random() < failures) throw new Error('the fault of the new code')
  const result = await work()
  owedMs += slowdown * (performance.now() - began + evaluationMs)
  if (owedMs >= 1) {
    const milliseconds = Math.floor(owedMs)
    owedMs -= milliseconds
    await sleep(milliseconds)
  }
  return result
}

const store = vehicleStore(sql)
const app = buildApp({
  vehicles: {
    ...store,
    list: (kind, after, limit, by) => withFault(by, () => store.list(kind, after, limit, by)),
    find: (id, by) => withFault(by, () => store.find(id, by)),
    create: (input, by) => withFault(by, () => store.create(input, by)),
    update: (id, input, by) => withFault(by, () => store.update(id, input, by)),
  },
  flag,
  flagToken: readEnv('FLAG_TOKEN'),
})
const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' })
process.once('SIGTERM', () => {
  server.close()
  void sql.end({ timeout: 2 }).finally(() => process.exit(0))
})
