import { createServer, connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { startAgentProcess, type AgentProcess } from '../support/agentProcess.ts'
import { withDatabase } from '../support/database.ts'
import { GARBAGE_KINDS, startGarbageServer, type GarbageServer } from '../support/garbageServer.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'
import { isOk, waitFor } from '../support/waitFor.ts'

async function withGarbage(use: (server: GarbageServer) => Promise<void>): Promise<void> {
  const server = await startGarbageServer()
  try {
    await use(server)
  } finally {
    await server.stop()
  }
}

/** Waits until every kind of answer was given this often, with the agent alive all the time. */
async function waitForEveryAnswer(agent: AgentProcess, server: GarbageServer, times: number): Promise<void> {
  await waitFor(
    'every answer was given',
    async () => {
      expect(agent.exitCode()).toBe(null)
      expect(await isOk(`${agent.url}/livez`)).toBe(true)
      return GARBAGE_KINDS.every((kind) => (server.answers.get(kind) ?? 0) >= times)
    },
    { seconds: 110, intervalMs: 300 },
  )
}

test('a server that answers garbage in the place of PostgreSQL does not end the process', async () => {
  await withGarbage(async (server) => {
    for (const sslmode of ['disable', 'prefer']) {
      const url = `postgres://u:p@127.0.0.1:${server.port}/x?sslmode=${sslmode}`
      const agent = await startAgentProcess(url, VEHICLES_FILE, 'agent-1', { until: 'listening' })
      try {
        await waitForEveryAnswer(agent, server, sslmode === 'disable' ? 2 : 4)
        expect((await fetch(`${agent.url}/readyz`)).status).toBe(503)
      } finally {
        await agent.kill()
      }
    }
  })
})

test('garbage from the replica, Prometheus, Grafana and the application does not end the process', async () => {
  await withGarbage(async (server) => {
    await withDatabase(async ({ url, sql }) => {
      await createVehicles(sql, 500)
      const at = `127.0.0.1:${server.port}`
      const file = `${VEHICLES_FILE.replace('requires: [integrity]', 'requires: [integrity, system]')}api:
  histogram: { url: 'http://${at}/metrics', name: x, errors: { status: '5..' } }
signals:
  - { name: queue, promql: queue, limit: 1 }
  - { name: rows, sql: select 1, limit: 2 }
checks:
  - { name: list, request: { url: 'http://${at}/list', status: 200 } }
`
      const agent = await startAgentProcess(url, file, 'agent-1', {
        environment: {
          STI_REPLICA_URL: `postgres://u:p@${at}/x`,
          STI_PROMETHEUS_URL: `http://${at}`,
          STI_GRAFANA_URL: `http://${at}`,
        },
      })
      try {
        await agent.run('expand')
        let done = false
        const validating = (async () => {
          while (agent.exitCode() === null && !done) {
            const { status, body } = await agent.post<{ id: number }>('/v1/rollouts/vehicles/operations', {
              kind: 'validation',
              environment: 'staging',
              parameters: {},
              reason: 'test',
            })
            if (status === 202) await agent.waitForEnd(body.id)
            await fetch(`${agent.url}/v1/rollouts`, { headers: { 'x-grafana-id': 'e30.e30.e30' } })
            await fetch(`${agent.url}/v1/rollouts/vehicles/readiness`).catch(() => undefined)
          }
        })()
        await waitForEveryAnswer(agent, server, 2)
        done = true
        await validating
        expect(await isOk(`${agent.url}/readyz`)).toBe(true)
      } finally {
        await agent.kill()
      }
    })
  })
})

test('answers of PostgreSQL that are damaged on the way do not end the process', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 500)
    const way = await startDamagingProxy(url)
    const agent = await startAgentProcess(way.url, VEHICLES_FILE)
    try {
      await agent.run('expand')
      way.damage(true)
      await waitFor(
        'many answers are damaged',
        async () => {
          expect(agent.exitCode()).toBe(null)
          expect(await isOk(`${agent.url}/livez`)).toBe(true)
          return way.damaged() > 60
        },
        { seconds: 80 },
      )
      way.damage(false)
      await waitFor('the agent is ready again', () => isOk(`${agent.url}/readyz`))
      expect(agent.exitCode()).toBe(null)
    } finally {
      await agent.kill()
      await way.stop()
    }
  })
})

/** About what a session has received when its settings are verified. */
const LOGIN_BYTES = 4_000

/** Passes everything on, and while it damages, changes bytes of what the server sends, mostly after the login. */
async function startDamagingProxy(databaseUrl: string) {
  const target = new URL(databaseUrl)
  let damaging = false
  let damaged = 0
  let seed = 1
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
  const sockets = new Set<Socket>()
  const server = createServer((agent) => {
    const database = connect(Number(target.port), target.hostname)
    for (const socket of [agent, database]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        agent.destroy()
        database.destroy()
      })
    }
    agent.on('data', (piece) => void database.write(piece))
    let received = 0
    database.on('data', (piece) => {
      received += piece.length
      if (damaging && random(received > LOGIN_BYTES ? 4 : 30) === 0) {
        damaged++
        for (let change = random(4); change >= 0; change--) piece[random(piece.length)] = random(256)
      }
      agent.write(damaging && random(50) === 0 ? piece.subarray(0, random(piece.length)) : piece)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    url: Object.assign(new URL(databaseUrl), { host: `127.0.0.1:${port}` }).href,
    damage: (wanted: boolean) => void (damaging = wanted),
    damaged: () => damaged,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
