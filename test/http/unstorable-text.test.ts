import { expect, test } from 'vitest'
import type { Problem } from '../../agent/src/contract/index.ts'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'

interface OpenApi {
  readonly paths: Record<
    string,
    Record<string, { readonly parameters?: readonly { in: string; name: string }[]; readonly requestBody?: unknown }>
  >
}

const TEXTS = { 'U+0000': '\0', 'a lone surrogate': '\ud800' } as const
const HEADERS = { authorization: `Bearer ${TOKENS.ann}`, 'content-type': 'application/json' }

/** Every way to put the text into a request to this route: path, query, and anywhere in the body. */
function requestsWith(text: string, path: string, method: string, hasBody: boolean): [string, string, string | null][] {
  const encoded = text === '\0' ? 'x%00' : '%ED%A0%80'
  const plain = path.replaceAll(/\{[^}]+\}/g, '1')
  const bodies = [{ reason: text }, { [text]: 1 }, { parameters: { deep: [{ a: [text] }] } }, [text], text]
  return [
    ...(path.includes('{') ? [['path', path.replaceAll(/\{[^}]+\}/g, encoded), null] as [string, string, null]] : []),
    ['query', `${plain}?limit=1&rollout=${encoded}`, null],
    ...(hasBody && method !== 'get'
      ? bodies.map((body): [string, string, string] => ['body', plain, JSON.stringify(body)])
      : []),
  ]
}

const send = (agent: TestAgent, method: string, path: string, body: string | null): Promise<Response> =>
  fetch(agent.url + path, {
    method: method.toUpperCase(),
    headers: HEADERS,
    // A GET has no body.
    body: method === 'get' ? undefined : (body ?? '{}'),
  })

test('text that PostgreSQL cannot store is 422 in every parameter and every field of every route', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      const { paths } = await agent.get<OpenApi>('/v1/openapi.json')
      const found: string[] = []
      let requests = 0
      for (const [path, methods] of Object.entries(paths)) {
        if (!path.startsWith('/v1/') || path.startsWith('/v1/webhooks/')) continue
        for (const [method, { requestBody }] of Object.entries(methods))
          for (const [name, text] of Object.entries(TEXTS))
            for (const [place, target, body] of requestsWith(text, path, method, requestBody !== undefined)) {
              requests++
              const answer = await send(agent, method, target, body)
              const problem = (await answer.json()) as Problem
              if (
                answer.status !== 422 ||
                !problem.reasons?.some((reason) => reason.includes('PostgreSQL cannot store'))
              )
                found.push(`${method} ${path}: ${name} in the ${place} is ${answer.status} ${JSON.stringify(problem)}`)
            }
      }
      expect(found).toEqual([])
      expect(requests).toBeGreaterThan(100)
      for (const path of ['/v1/operations/1/events?after=%00', '/v1/%00', '/ofrep/v1/evaluate/flags/%00'])
        expect([path, (await send(agent, 'post', path, null)).status]).toEqual([
          path,
          path.startsWith('/ofrep') ? 403 : 422,
        ])
      const evaluate = (path: string, body: string): Promise<Response> =>
        fetch(`${agent.url}/ofrep/v1/evaluate/flags${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${TOKENS.flag}` },
          body,
        })
      for (const body of ['{"context":{"targetingKey":"\\u0000"}}', '{"context":{"\\udc00":1}}', '{"\\u0000":1}'])
        for (const path of ['', '/vehicles-sti'])
          expect([path, body, (await evaluate(path, body)).status]).toEqual([path, body, 422])
      expect((await evaluate('/%00', '{}')).status).toBe(422)
      expect(await sql`select from sti.operation`).toHaveLength(0)
    })
  })
})
