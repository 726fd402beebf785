import { expect, test } from 'vitest'
import type { Operation, OperationEvent, OperationPreview, Problem } from '../../agent/src/contract/index.ts'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'

async function withVehicles(use: (agent: TestAgent) => Promise<void>): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 500)
    await withAgent(url, VEHICLES_FILE, use)
  })
}

/** Sends raw bytes, like a foreign client. */
async function sendRaw(
  agent: TestAgent,
  method: string,
  path: string,
  token: string | null,
  body?: string,
  type = 'application/json',
) {
  const answer = await fetch(agent.url + path, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { 'content-type': type }),
    },
    ...(body === undefined ? {} : { body }),
  })
  return { status: answer.status, type: answer.headers.get('content-type'), body: (await answer.json()) as Problem }
}

const OPERATIONS_PATH = '/v1/rollouts/vehicles/operations'
const requestBody = (kind: string, parameters: unknown = {}, environment = 'staging'): string =>
  JSON.stringify({ kind, environment, parameters })

test('invalid input returns a problem with code and detail and has no effect', async () => {
  await withVehicles(async (agent) => {
    const cases: [
      what: string,
      answer: Promise<{ status: number; body: Problem }>,
      status: number,
      code: string,
      says: RegExp,
    ][] = [
      ['no token', sendRaw(agent, 'GET', '/v1/agent', null), 403, 'forbidden', /token/],
      ['another class of token', sendRaw(agent, 'GET', '/v1/agent', TOKENS.flag), 403, 'forbidden', /token/],
      [
        'a token of Grafana without an identity',
        sendRaw(agent, 'POST', OPERATIONS_PATH, TOKENS.admin, requestBody('expand')),
        403,
        'forbidden',
        /read-only access/,
      ],
      [
        'failed rows of another environment',
        sendRaw(agent, 'POST', '/v1/rollouts/vehicles/failed-rows/retry', TOKENS.ann, '{"environment":"production"}'),
        409,
        'wrong-environment',
        /serves staging; the request is for production/,
      ],
      [
        'failed rows of no environment',
        sendRaw(agent, 'POST', '/v1/rollouts/vehicles/failed-rows/retry', TOKENS.ann, '{}'),
        422,
        'invalid-body',
        /body/,
      ],
      [
        'unknown rollout',
        sendRaw(agent, 'GET', '/v1/rollouts/nothing', TOKENS.ann),
        404,
        'unknown-rollout',
        /existing rollouts: vehicles/,
      ],
      [
        'unknown address',
        sendRaw(agent, 'GET', '/v1/nothing', TOKENS.ann),
        404,
        'not-found',
        /This path does not exist/,
      ],
      [
        'unknown operation',
        sendRaw(agent, 'GET', '/v1/operations/999', TOKENS.ann),
        404,
        'not-found',
        /Operation 999 does not exist/,
      ],
      [
        'another environment',
        sendRaw(agent, 'POST', OPERATIONS_PATH, TOKENS.ann, requestBody('expand', {}, 'production')),
        409,
        'wrong-environment',
        /serves staging/,
      ],
      [
        'refused',
        sendRaw(agent, 'POST', OPERATIONS_PATH, TOKENS.ann, requestBody('backfill')),
        409,
        'refused',
        /expand first/,
      ],
      [
        'refused gate',
        sendRaw(agent, 'POST', OPERATIONS_PATH, TOKENS.ann, requestBody('flag', { enabled: true })),
        409,
        'refused',
        /sti expand/,
      ],
      ['not JSON', sendRaw(agent, 'POST', OPERATIONS_PATH, TOKENS.ann, '{'), 400, 'bad-request', /JSON/],
      [
        'not JSON by its type',
        sendRaw(agent, 'POST', OPERATIONS_PATH, TOKENS.ann, 'x', 'text/plain'),
        415,
        'unsupported-media-type',
        /json/,
      ],
      [
        'unknown kind',
        sendRaw(agent, 'POST', OPERATIONS_PATH, TOKENS.ann, requestBody('drop-everything')),
        422,
        'invalid-body',
        /body/,
      ],
      [
        'bad parameter',
        sendRaw(agent, 'POST', OPERATIONS_PATH, TOKENS.ann, requestBody('backfill', { batchSize: -1 })),
        422,
        'invalid-body',
        /body/,
      ],
      [
        'too large',
        sendRaw(agent, 'POST', OPERATIONS_PATH, TOKENS.ann, JSON.stringify({ reason: 'x'.repeat(300_000) })),
        413,
        'too-large',
        /large/,
      ],
      [
        'data rollback without its name',
        sendRaw(agent, 'POST', OPERATIONS_PATH, TOKENS.ann, requestBody('rollback', { scope: 'data' })),
        422,
        'invalid-body',
        /name/,
      ],
      [
        'an editor rolls back data',
        sendRaw(
          agent,
          'POST',
          OPERATIONS_PATH,
          TOKENS.bob,
          requestBody('rollback', { scope: 'data', confirm: 'vehicles' }),
        ),
        403,
        'forbidden',
        /admin/,
      ],
      [
        'an editor uses force',
        sendRaw(agent, 'POST', OPERATIONS_PATH, TOKENS.bob, requestBody('flag', { enabled: true, force: true })),
        403,
        'forbidden',
        /admin/,
      ],
      ['an ambiguous path', sendRaw(agent, 'GET', '/v1/rollouts/x%2f..%2fy', TOKENS.ann), 400, 'bad-path', /path/],
    ]
    for (const [what, answer, status, code, says] of cases) {
      const { status: got, body } = await answer
      expect([what, got, body.code, body.status]).toEqual([what, status, code, status])
      expect(body.detail).toMatch(says)
      expect(JSON.stringify(body)).not.toMatch(/node_modules|\.ts:\d|at .+:\d+:\d+/)
    }
    const bad = await sendRaw(agent, 'POST', OPERATIONS_PATH, TOKENS.ann, requestBody('backfill', { batchSize: -1 }))
    expect(bad.type).toBe('application/problem+json')
    expect(bad.body.reasons).toEqual([expect.stringContaining('parameters.batchSize')])
    expect((await agent.get<{ operations: Operation[] }>('/v1/operations')).operations).toEqual([])
  })
})

test('a dry run changes nothing, and a repeated idempotency key starts one operation', async () => {
  await withVehicles(async (agent) => {
    const preview = await agent.post<OperationPreview>(`${OPERATIONS_PATH}?dryRun=true`, {
      kind: 'expand',
      environment: 'staging',
      parameters: {},
    })
    expect(preview).toMatchObject({ status: 200, body: { allowed: true, reasons: [] } })
    expect(preview.body.statements.join('\n')).toMatch(/add column "?type"? text/)
    expect((await agent.rollout()).stage).toBe('new')
    const body = { kind: 'expand', environment: 'staging', parameters: {} }
    const twice = await Promise.all(
      [1, 2].map(() => agent.post<Operation>(OPERATIONS_PATH, body, { 'idempotency-key': 'one' })),
    )
    expect(new Set(twice.map((answer) => answer.body.id)).size).toBe(1)
    await agent.waitForEnd(twice[0]!.body.id)
    expect((await agent.post<Operation>(OPERATIONS_PATH, body, { 'idempotency-key': 'one' })).body).toMatchObject({
      id: twice[0]!.body.id,
      state: 'succeeded',
    })
    const other = await agent.post<Problem>(
      OPERATIONS_PATH,
      { ...body, reason: 'another' },
      { 'idempotency-key': 'one' },
    )
    expect(other).toMatchObject({ status: 409, body: { code: 'conflict' } })
    const enabling = await agent.post<OperationPreview>(`${OPERATIONS_PATH}?dryRun=true`, {
      kind: 'flag',
      environment: 'staging',
      parameters: { enabled: true },
    })
    expect(enabling.body).toMatchObject({ allowed: false })
    expect(enabling.body.notes.join(' ')).toMatch(/^The flag is off; 0 clients/)
  })
})

test('a preview has the code that the request would be refused with', async () => {
  await withVehicles(async (agent) => {
    const rollback = (scope: string) => ['rollback', { scope, confirm: 'vehicles' }] as const
    const codesBefore = [
      [...rollback('data'), 'nothing-to-roll-back'],
      [...rollback('system'), 'nothing-to-roll-back'],
      ['rollback', { scope: 'monitoring' }, 'nothing-to-roll-back'],
      ['monitoring', { enabled: false }, 'nothing-to-roll-back'],
      ['backfill', {}, 'refused'],
    ] as const
    for (const [kind, parameters, code] of codesBefore) {
      const body = { kind, environment: 'staging', parameters, reason: 'test' }
      const preview = await agent.post<OperationPreview>(`${OPERATIONS_PATH}?dryRun=true`, body)
      expect(preview.body, kind).toMatchObject({ allowed: false, code, reasons: [expect.any(String)] })
      expect(await agent.post<Problem>(OPERATIONS_PATH, body), kind).toMatchObject({ status: 409, body: { code } })
    }
    await agent.run('expand')
    for (const scope of ['data', 'system']) {
      const [kind, parameters] = rollback(scope)
      const body = { kind, environment: 'staging', parameters, reason: 'test' }
      const preview = await agent.post<OperationPreview>(`${OPERATIONS_PATH}?dryRun=true`, body)
      expect(preview.body, scope).toMatchObject({ allowed: true, code: null, reasons: [] })
    }
  })
})

test('events stream immediately, resume from Last-Event-ID, and end with the operation', async () => {
  await withVehicles(async (agent) => {
    const { id } = await agent.request('expand')
    const path = `/v1/operations/${id}/events`
    const stream = async (last?: string): Promise<string> => {
      const headers = {
        authorization: `Bearer ${TOKENS.ann}`,
        accept: 'text/event-stream',
        ...(last ? { 'last-event-id': last } : {}),
      }
      return await (await fetch(agent.url + path, { headers })).text()
    }
    const text = await stream()
    const { events } = await agent.get<{ events: OperationEvent[] }>(path)
    expect(events.length).toBeGreaterThanOrEqual(3)
    for (const event of events) expect(text).toContain(`id: ${event.id}\n`)
    expect(text).toContain('event: end')
    const rest = await stream(String(events.at(-2)!.id))
    expect(rest).toContain(`id: ${events.at(-1)!.id}\n`)
    expect(rest).not.toContain(`id: ${events[0]!.id}\n`)
    expect(events.map((event) => event.actor.name)).toContain('ann')
  })
})

test('the API describes itself', async () => {
  await withVehicles(async (agent) => {
    const document = await agent.get<{ paths: Record<string, unknown> }>('/v1/openapi.json')
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([OPERATIONS_PATH.replace('vehicles', '{rollout}'), '/v1/agent']),
    )
  })
})
