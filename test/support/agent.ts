import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAgent, type Agent } from '../../agent/src/agent.ts'
import type { Config } from '../../agent/src/config.ts'
import {
  isEnded,
  type Operation,
  type OperationPreview,
  type OperationRequest,
  type RolloutDetail,
} from '../../agent/src/contract/index.ts'
import { loadRolloutsAndGroups } from '../../agent/src/rollout/compileRollout.ts'
import { isOk, waitFor } from './waitFor.ts'

export const TOKENS = {
  viewer: 'viewer-token-of-a-test-0001',
  editor: 'editor-token-of-a-test-0002',
  admin: 'admin-token-of-a-test-00003',
  flag: 'flag-token-of-a-test-000004',
  ann: 'personal-token-of-ann-00005',
  bob: 'personal-token-of-bob-00006',
}

export interface TestAgent extends TestAgentClient {
  readonly agent: Agent
}

export interface TestAgentClient {
  readonly url: string
  /** Sends the request as ann, who is an admin. */
  get<T>(path: string): Promise<T>
  post<T>(path: string, body: unknown, headers?: Record<string, string>): Promise<{ status: number; body: T }>
  rollout(): Promise<RolloutDetail>
  /** Requests an operation and waits until it has succeeded. Throws if it is refused or ends in another state. */
  run(kind: OperationRequest['kind'], parameters?: Record<string, unknown>): Promise<Operation>
  request(kind: OperationRequest['kind'], parameters?: Record<string, unknown>): Promise<Operation>
  /** The answer to the same request as a dry run. */
  preview(kind: OperationRequest['kind'], parameters?: Record<string, unknown>): Promise<OperationPreview>
  waitForEnd(id: number): Promise<Operation>
}

/** The configuration of an agent with the tokens of the tests. */
export function testConfig(url: string, folder: string, config: Partial<Config> = {}): Config {
  return {
    environment: 'staging',
    production: false,
    agent: 'agent-1',
    databaseUrl: url,
    rolloutsFolder: folder,
    host: '127.0.0.1',
    port: 0,
    grafana: null,
    prometheusUrl: null,
    rights: {},
    signingKey: null,
    trustedKeys: [],
    replicaUrl: null,
    databaseConnections: 3,
    webhookSecret: null,
    guard: false,
    github: null,
    archiveFolder: null,
    spoolFolder: join(folder, 'spool'),
    ...config,
    tokens: {
      viewer: TOKENS.viewer,
      editor: TOKENS.editor,
      admin: TOKENS.admin,
      flag: TOKENS.flag,
      metrics: null,
      alertmanager: null,
      ...config.tokens,
    },
    personalTokens: [
      { name: 'ann', level: 'admin', token: TOKENS.ann },
      { name: 'bob', level: 'editor', token: TOKENS.bob },
    ],
  }
}

/** Runs a real agent in this process, on a free port, with one rollout file. */
export async function withAgent<T>(
  url: string,
  file: string,
  use: (agent: TestAgent) => Promise<T>,
  options: {
    name?: string
    boot?: 'without-database'
    log?: (line: Record<string, unknown>) => void
    config?: Partial<Config>
  } = {},
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-rollouts-'))
  await writeFile(join(folder, 'rollout.yaml'), file)
  const config = testConfig(url, folder, { ...options.config, agent: options.name ?? 'agent-1' })
  const { rollouts, groups } = await loadRolloutsAndGroups(folder)
  const agent = await startAgent(
    config,
    rollouts,
    '0.0.0',
    options.log ?? ((line) => void (line['level'] !== 'info' && console.error(JSON.stringify(line)))),
    { groups },
  )
  try {
    // It boots without the database and reaches it a moment later.
    if (options.boot === undefined)
      await waitFor('the agent is ready', () => isOk(`${agent.url}/readyz`), { seconds: 60 })
    return await use({ agent, ...agentClient(agent.url, [...rollouts, ...groups][0]!.name, config.environment) })
  } finally {
    await agent.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

export function agentClient(url: string, rollout: string, environment = 'staging'): TestAgentClient {
  const headers = { authorization: `Bearer ${TOKENS.ann}`, 'content-type': 'application/json' }
  const get = async <T>(path: string): Promise<T> => {
    const answer = await fetch(url + path, { headers })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as T
  }
  const post: TestAgentClient['post'] = async <T>(path: string, body: unknown, more = {}) => {
    const answer = await fetch(url + path, {
      method: 'POST',
      headers: { ...headers, ...more },
      body: JSON.stringify(body),
    })
    return { status: answer.status, body: (await answer.json()) as T }
  }
  const ended = async (id: number): Promise<Operation> => {
    for (;;) {
      const operation = await get<Operation>(`/v1/operations/${id}`)
      if (isEnded(operation.state) || operation.state === 'paused') return operation
      await sleep(100)
    }
  }
  async function send<T>(expected: number, query: string, kind: string, parameters = {}, headers = {}): Promise<T> {
    const body = { kind, environment, parameters, reason: 'test' }
    const { status, body: answer } = await post<T>(`/v1/rollouts/${rollout}/operations${query}`, body, headers)
    if (status === expected) return answer
    throw new Error(`${kind}${query}: ${status} ${JSON.stringify(answer)}`)
  }
  const request: TestAgentClient['request'] = async (kind, parameters) => {
    const key = { 'idempotency-key': randomUUID() }
    for (;;) {
      const operation = await send<Operation>(202, '', kind, parameters, key)
      if (operation.persisted) return operation
      // The flag is off, but a busy database has not stored the operation yet.
      await sleep(50)
    }
  }
  return {
    url,
    get,
    post,
    request,
    preview: (kind, parameters) => send(200, '?dryRun=true', kind, parameters),
    waitForEnd: ended,
    rollout: () => get<RolloutDetail>(`/v1/rollouts/${rollout}`),
    async run(kind, parameters) {
      const operation = await ended((await request(kind, parameters)).id)
      if (operation.state !== 'succeeded') throw new Error(`${kind} ${operation.state}: ${operation.error}`)
      return operation
    },
  }
}
