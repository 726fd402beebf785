import { Worker } from 'node:worker_threads'
import { expect } from 'vitest'
import { startAgentProcess } from '../support/agentProcess.ts'
import { TOKENS } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { realTimeTest as test } from '../support/realTime.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'

const REPORTS = 100

/** Evaluates the flag every 5 ms in a thread of its own, so that reading the reports does not count as waiting. */
const EVALUATE = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { Agent, request } = require('node:http')
  const connection = new Agent({ keepAlive: true, maxSockets: 1 })
  const evaluate = () => new Promise((resolve, reject) => {
    const started = performance.now()
    const sent = request(workerData.url + '/ofrep/v1/evaluate/flags/vehicles-sti', {
      method: 'POST', agent: connection, headers: { authorization: 'Bearer ' + workerData.token, 'content-type': 'application/json' },
    }, (answer) => answer.resume().on('end', () => answer.statusCode === 200
      ? resolve(performance.now() - started) : reject(new Error('status ' + answer.statusCode))))
    sent.on('error', reject)
    sent.end('{"context":{"targetingKey":"one"}}')
  })
  let running = false
  parentPort.on('message', async (message) => {
    if (message === 'stop') { running = false; return }
    running = true
    const milliseconds = []
    while (running) {
      milliseconds.push(await evaluate())
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    parentPort.postMessage(milliseconds)
  })`

const p95 = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)]!

test(`${REPORTS} reports at once delay no evaluation of the flag`, async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 2_000)
    const agent = await startAgentProcess(url, VEHICLES_FILE)
    const evaluator = new Worker(EVALUATE, { eval: true, workerData: { url: agent.url, token: TOKENS.flag } })
    try {
      await agent.run('expand')
      await agent.run('backfill')
      await agent.run('validation', { layers: ['integrity'] })
      // The history of a rollout of some weeks.
      await sql`insert into sti.operation (rollout, kind, state, parameters, file_hash, derivation_hash, writes_table, actor, request_hash, ended_at)
        select rollout, kind, state, parameters, file_hash, derivation_hash, writes_table, actor, request_hash, ended_at
        from sti.operation, generate_series(1, 200) where kind = 'validation'`
      await sql`insert into sti.operation_event (rollout, at, actor, kind, message, after, hash)
        select 'vehicles', now(), '{"name":"ann","level":"admin","via":"token"}', 'state', repeat('x', 200),
          jsonb_build_object('text', repeat('y', 200)), md5(n::text) from generate_series(1, 500) n`
      const report = async (): Promise<number> => {
        const headers = { authorization: `Bearer ${TOKENS.ann}` }
        const answer = await fetch(`${agent.url}/v1/rollouts/vehicles/report?format=html`, { headers })
        expect(answer.status).toBe(200)
        return (await answer.arrayBuffer()).byteLength
      }
      /** The evaluations while something else is done. */
      const measure = async (work: () => Promise<unknown>): Promise<number> => {
        const measured = new Promise<number[]>((resolve, reject) => {
          evaluator.once('message', resolve)
          evaluator.once('error', reject)
        })
        evaluator.postMessage('start')
        await work()
        evaluator.postMessage('stop')
        return p95(await measured)
      }
      // The first report starts the worker.
      expect(await report()).toBeGreaterThan(150_000)
      const quiet = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 4_000))
      const before = await measure(quiet)
      const started = performance.now()
      const during = await measure(() => Promise.all(Array.from({ length: REPORTS }, report)))
      const seconds = (performance.now() - started) / 1000
      const after = await measure(quiet)
      const without = Math.max(before, after)
      const shown = `p95 ${without.toFixed(2)} ms without (${before.toFixed(2)} before, ${after.toFixed(2)} after), ${during.toFixed(2)} ms during ${REPORTS} reports in ${seconds.toFixed(1)} s`
      console.log(shown)
      expect(during / without, shown).toBeLessThanOrEqual(2)
    } finally {
      await evaluator.terminate()
      await agent.stop()
    }
  })
})
