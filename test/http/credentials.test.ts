import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TOKENS } from '../support/agent.ts'
import { agentEnvironment } from '../support/agentProcess.ts'
import { withDatabase } from '../support/database.ts'
import { AGENT_PROGRAM } from '../support/programs.ts'
import { freePort } from '../support/server.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'
import { isOk, waitFor } from '../support/waitFor.ts'

const SECRET = 'hunter2'

interface BootedAgent {
  readonly url: string
  /** Everything that the process has printed. */
  output(): string
}

/** Starts the real agent as a process. Resolves to its exit code and output if it ends at boot. */
async function bootAgent(
  databaseUrl: string,
  file: string,
  variables: Record<string, string>,
  use: (agent: BootedAgent) => Promise<void>,
): Promise<{ code: number | null; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-credentials-'))
  await writeFile(join(folder, 'rollout.yaml'), file)
  const port = await freePort()
  const child = spawn(process.execPath, [AGENT_PROGRAM], {
    env: { PATH: process.env['PATH'], ...agentEnvironment(databaseUrl, folder, port, 'agent-1'), ...variables },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()))
  const exited = once(child, 'exit') as Promise<[number | null]>
  const url = `http://127.0.0.1:${port}`
  try {
    await waitFor('the agent listens or ends', async () => child.exitCode !== null || (await isOk(`${url}/livez`)), {
      seconds: 60,
      ignoreErrors: true,
    })
    if (child.exitCode === null) await use({ url, output: () => output })
  } finally {
    child.kill('SIGTERM')
    await exited
    await rm(folder, { recursive: true, force: true })
  }
  return { code: child.exitCode, output }
}

const HTTP_VARIABLES: Record<string, Record<string, string>> = {
  STI_PROMETHEUS_URL: {},
  STI_GRAFANA_URL: {},
  STI_GRAFANA_ISSUER: { STI_GRAFANA_URL: 'http://127.0.0.1:1' },
  STI_GITHUB_API_URL: { STI_GITHUB_REPOSITORY: 'a/b', STI_GITHUB_TOKEN: 'token' },
}

test('a URL that cannot be parsed ends the boot with exit code 2 and the name of its variable, never its value', async () => {
  await withDatabase(async ({ url }) => {
    const [host] = /[^@]+$/.exec(url)!
    const variables: [string, Record<string, string>][] = [
      ...['/', '%', '@'].flatMap((character): [string, Record<string, string>][] => [
        ['STI_DATABASE_URL', { STI_DATABASE_URL: `postgres://postgres:${SECRET}${character}1@${host}` }],
      ]),
      ['STI_REPLICA_URL', { STI_REPLICA_URL: `postgres://postgres:${SECRET}%1@${host}` }],
      ...Object.entries(HTTP_VARIABLES).map(([name, others]): [string, Record<string, string>] => [
        name,
        { ...others, [name]: `http://me:${SECRET}#1@127.0.0.1:1` },
      ]),
    ]
    for (const [name, changed] of variables) {
      const { code, output } = await bootAgent(url, VEHICLES_FILE, changed, () => Promise.reject(new Error('it runs')))
      expect([name, code]).toEqual([name, 2])
      expect(output).toMatch(new RegExp(`- ${name} (must|has|contains)`))
      expect(output).not.toContain(SECRET)
    }
    const file = `${VEHICLES_FILE}checks: [{ name: home, request: { url: "http://me:${SECRET}@127.0.0.1:1/", status: 200 } }]\n`
    const { code, output } = await bootAgent(url, file, {}, () => Promise.reject(new Error('it runs')))
    expect(code).toBe(2)
    expect(output).toMatch(/checks\[0\]\.request\.url is not a URL/)
    expect(output).not.toContain(SECRET)
  })
})

test('no output shows a credential of a URL: status, readiness, events, validation, report, metrics, log', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 50)
    const file =
      `${VEHICLES_FILE}checks: [{ name: home, request: { url: "http://127.0.0.1:1/home?token=${SECRET}", status: 200 } }]
api: { histogram: { url: "http://127.0.0.1:1/metrics?token=${SECRET}", name: http_request_duration_seconds } }
host: { promql: { cpu: a, memory: b, disk: c, diskOperations: d, network: e } }
signals: [{ name: queue, promql: queue_depth, limit: 1 }]
`.replace('requires: [integrity]', 'requires: [integrity, business]')
    const variables = {
      STI_PROMETHEUS_URL: `http://me:${SECRET}@127.0.0.1:1/?token=${SECRET}`,
      STI_GRAFANA_URL: `http://me:${SECRET}@127.0.0.1:1`,
      STI_REPLICA_URL: `postgres://me:${SECRET}@127.0.0.1:1/app`,
      STI_SIGNING_KEY: '',
    }
    const seen: string[] = []
    const { output } = await bootAgent(url, file, variables, async (agent) => {
      await waitFor('ready', () => isOk(`${agent.url}/readyz`), { seconds: 60, ignoreErrors: true })
      const headers = { authorization: `Bearer ${TOKENS.ann}`, 'content-type': 'application/json' }
      const read = async (path: string, more: RequestInit = {}): Promise<string> => {
        const text = await (await fetch(agent.url + path, { headers, ...more })).text()
        seen.push(`${path}\n${text}`)
        return text
      }
      const run = async (kind: string): Promise<void> => {
        const body = JSON.stringify({ kind, environment: 'staging', parameters: {}, reason: 'test' })
        const { id } = JSON.parse(await read('/v1/rollouts/vehicles/operations', { method: 'POST', body })) as {
          id: number
        }
        await waitFor(
          `${kind} has ended`,
          async () => /"state":"(succeeded|failed|paused)"/.test(await read(`/v1/operations/${id}`)),
          { seconds: 90 },
        )
        await read(`/v1/operations/${id}/events`)
      }
      await run('expand')
      await run('validation')
      // Through Grafana, whose keys cannot be fetched.
      const grafana = { ...headers, authorization: `Bearer ${TOKENS.admin}`, 'x-grafana-id': 'a.b.c' }
      await read('/v1/agent', { headers: grafana })
      for (const path of ['/readyz', '/metrics', '/v1/agent', '/v1/rollouts', '/v1/rollouts/vehicles']) await read(path)
      await read('/v1/rollouts/vehicles/readiness')
      for (const format of ['json', 'md', 'html']) await read(`/v1/rollouts/vehicles/report?format=${format}`)
    })
    expect(seen.join('\n')).toContain('Prometheus')
    const leaks = [...seen, `log\n${output}`].filter((text) =>
      // The rollout file itself is part of the report, and says what it says.
      text.replaceAll(`?token=${SECRET}`, '').includes(SECRET),
    )
    expect(leaks.map((text) => text.slice(0, 300))).toEqual([])
    const queries = seen.filter((text) => !/report|vehicles$|^\/v1\/rollouts/.test(text.split('\n')[0]!))
    expect([...queries, output].filter((text) => text.includes(SECRET)).map((text) => text.slice(0, 300))).toEqual([])
  })
})
