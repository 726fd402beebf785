import { OpenAPIHono, z } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import { expect, test } from 'vitest'
import { Problem, ProblemCode } from '../contract/index.ts'
import { defaultHook, createProblemHandlers, toProblem, Refusal, problemStatus } from './problem.ts'

function buildTestApp(log: (line: Record<string, unknown>) => void = () => undefined) {
  const app = new OpenAPIHono({ defaultHook })
  const { onError, notFound } = createProblemHandlers(log)
  app.onError(onError)
  app.notFound(notFound)
  app.use(bodyLimit({ maxSize: 1000 }))
  const body = z.object({ kind: z.string(), parameters: z.object({ percentage: z.number() }) })
  app.openapi(
    {
      method: 'post',
      path: '/things',
      request: { body: { required: true, content: { 'application/json': { schema: body } } } },
      responses: { 200: { description: 'done' } },
    },
    (c) => c.json({}),
  )
  app.get('/fails', () => {
    throw Object.assign(new Error('relation "app.secrets" does not exist'), { code: '42P01' })
  })
  app.get('/refuses', () => {
    throw new Refusal('refused', 'Backfill first.', ['coverage is 40%'])
  })
  return app
}

async function readProblem(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  const body = Problem.parse(await response.json())
  expect(body.status).toBe(response.status)
  return body
}

const postRequest = (body: string, type = 'application/json'): Promise<Response> =>
  Promise.resolve(buildTestApp().request('/things', { method: 'POST', body, headers: { 'content-type': type } }))

test('every code has a status, and none is 401 or 204', () => {
  for (const code of ProblemCode.options)
    expect([400, 403, 404, 409, 413, 415, 422, 500, 503]).toContain(problemStatus(code))
  expect(problemStatus('forbidden')).toBe(403)
  expect(problemStatus('wrong-environment')).toBe(409)
})

test('an invalid body is 422 with the path of each fault; a body that is not JSON is 400, and one that is too large is 413', async () => {
  const invalid = await readProblem(await postRequest('{"parameters":{"percentage":"all"}}'))
  expect(invalid).toMatchObject({ code: 'invalid-body', status: 422 })
  expect(invalid.reasons?.map((reason) => reason.split(':')[0])).toEqual(['kind', 'parameters.percentage'])
  expect(await readProblem(await postRequest('{"kind":'))).toMatchObject({ code: 'bad-request', status: 400 })
  expect(await readProblem(await postRequest('a'.repeat(2000)))).toMatchObject({ code: 'too-large', status: 413 })
  expect((await readProblem(await buildTestApp().request('/nothing'))).code).toBe('not-found')
})

test('a refusal has its reasons; an internal error has no details and is logged in one line', async () => {
  const lines: Record<string, unknown>[] = []
  const refused = await readProblem(await buildTestApp().request('/refuses'))
  expect(refused).toMatchObject({ status: 409, detail: 'Backfill first.', reasons: ['coverage is 40%'] })
  const failed = await buildTestApp((line) => lines.push(line)).request('/fails')
  const text = await failed.text()
  expect(failed.status).toBe(500)
  expect(text).not.toMatch(/secrets|42P01|\.ts/)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({ level: 'error', message: 'relation "app.secrets" does not exist', code: '42P01' })
})

test('an error of a lower layer needs no class of this folder, only a code of the contract', () => {
  expect(toProblem(Object.assign(new Error('no such'), { code: 'unknown-rollout' })).status).toBe(404)
  expect(toProblem(Object.assign(new Error('a secret'), { code: 'internal' })).detail).not.toContain('secret')
  for (const code of ['ECONNREFUSED', 'CONNECTION_CLOSED', '57P01', '53300', '53100', '08006', '25006'])
    expect(toProblem(Object.assign(new Error('x'), { code })).code).toBe('database-away')
})
