import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { request as sendHttp } from 'node:http'
import { expect, test } from 'vitest'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { hostileText, schemaValue, type JsonSchema } from '../support/schemaValues.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'

/** The number of generated requests; `STI_FUZZ_REQUESTS` sets a different number. */
const REQUESTS = Number(process.env['STI_FUZZ_REQUESTS'] ?? 1_500)
const SECONDS = Number(process.env['STI_FUZZ_SECONDS'] ?? 60)

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly schema: JsonSchema
}
interface Route {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>
}
interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Route>>>>
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> }
}

interface FuzzRequest {
  readonly method: string
  /** As in the document, such as `/v1/operations/{id}`. */
  readonly template: string
  readonly path: string
  /** A value that is a list is sent as that many headers. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: string | null
}

interface FuzzAnswer {
  readonly status: number
  readonly type: string
  readonly text: string
}

/** Each route gets each of these once: chance does not reach every pair. */
const BODIES_OF_EACH_ROUTE = ['{', '{"reason":"\\u0000"}', `{"reason":"${'x'.repeat(300_000)}"}`]
const RAW_BODIES = [
  ...BODIES_OF_EACH_ROUTE,
  ...['', ' ', 'null', '[]', '""', '1e999', '{"a":', '\ufeff{}', '{"__proto__":{"a":1}}', '{"a":1,"a":2}'],
  ...['['.repeat(100_000) + ']'.repeat(100_000), '{"a":'.repeat(50_000) + '1' + '}'.repeat(50_000)],
  ...['{"reason":"\\ud800"}', '9'.repeat(10_000)],
]
const CONTENT_TYPES = [
  ...['text/plain', 'application/json; charset=utf-16', 'application/x-www-form-urlencoded', 'multipart/form-data', ''],
  ...['application/merge-patch+json', 'application/json;;', 'JSON', '*/*'],
]
const CREDENTIALS = [TOKENS.ann, TOKENS.ann, TOKENS.ann, TOKENS.ann, TOKENS.bob, TOKENS.viewer, TOKENS.flag, 'x', null]

test(
  'every response is one of the documented ones, and never an internal error, whatever the request',
  async () => {
    await withDatabase(async ({ url, sql }) => {
      await createVehicles(sql, 300)
      await withAgent(url, VEHICLES_FILE, async (agent) => {
        await agent.run('expand')
        const document = await agent.get<OpenApiDocument>('/v1/openapi.json')
        const validate = createAnswerValidator(document)
        const seen = new Map<string, number>()
        await fc.assert(
          fc.asyncProperty(arbitraryRequest(document), async (request) => {
            const answer = await send(agent, request)
            const route = `${request.method} ${request.template}`
            seen.set(`${route} ${answer.status}`, (seen.get(`${route} ${answer.status}`) ?? 0) + 1)
            const shown = `${route}: ${answer.status} ${answer.type} ${answer.text.slice(0, 600)}`
            if (request.template !== '/readyz') expect(answer.status, shown).toBeLessThan(500)
            expect(validate(request, answer), shown).toEqual([])
          }),
          {
            numRuns: REQUESTS,
            examples: requestsOfEachRoute(document),
            interruptAfterTimeLimit: SECONDS * 1_000,
            markInterruptAsFailure: false,
          },
        )
        // The requests reach what lies behind the schemas: each route has succeeded or refused with a reason of its own.
        const statuses = [...seen.keys()].map((entry) => entry.split(' ').at(-1))
        expect(new Set(statuses).size, [...seen].map(([key, count]) => `${key}: ${count}`).join('\n')).toBeGreaterThan(
          6,
        )
        // The agent still works.
        expect((await agent.rollout()).rollout).toBe('vehicles')
      })
    })
  },
  (SECONDS + 120) * 1_000,
)

/** With a credential that each route accepts. */
function requestsOfEachRoute({ paths }: OpenApiDocument): [FuzzRequest][] {
  return Object.entries(paths).flatMap(([template, methods]) =>
    Object.keys(methods)
      .filter((method) => method !== 'get')
      .flatMap((method) =>
        BODIES_OF_EACH_ROUTE.map((body): [FuzzRequest] => [
          {
            method: method.toUpperCase(),
            template,
            path: template.replace('{rollout}', 'vehicles').replace(/\{\w+\}/g, '1'),
            headers: {
              'content-type': 'application/json',
              ...(template.startsWith('/ofrep')
                ? { 'x-api-key': TOKENS.flag }
                : { authorization: `Bearer ${TOKENS.ann}` }),
            },
            body,
          },
        ]),
      ),
  )
}

function arbitraryRequest({ paths, components }: OpenApiDocument): fc.Arbitrary<FuzzRequest> {
  const resolve = (reference: string): JsonSchema => components.schemas[reference.split('/').at(-1)!]!
  const routes = Object.entries(paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, route]) => ({ template, method: method.toUpperCase(), route })),
  )
  return fc.constantFrom(...routes).chain(({ template, method, route }) => {
    const parameters = route.parameters ?? []
    const valueOf = ({ name, schema }: Parameter): fc.Arbitrary<string> =>
      fc.oneof(
        { weight: 5, arbitrary: name === 'rollout' ? fc.constant('vehicles') : likelyValue(schema, resolve) },
        { weight: 1, arbitrary: hostileText() },
      )
    const valuesOf = (place: Parameter['in']): fc.Arbitrary<Record<string, string>> =>
      fc.record(
        Object.fromEntries(parameters.filter((one) => one.in === place).map((one) => [one.name, valueOf(one)])),
        place === 'path' ? {} : { requiredKeys: [] },
      ) as fc.Arbitrary<Record<string, string>>
    const bodySchema = route.requestBody?.content['application/json']?.schema
    const body: fc.Arbitrary<string | null> =
      method === 'GET'
        ? fc.constant(null)
        : fc.oneof(
            {
              weight: 8,
              arbitrary: schemaValue(bodySchema ?? {}, resolve).map((value) => JSON.stringify(value) ?? 'null'),
            },
            { weight: 1, arbitrary: fc.constantFrom(...RAW_BODIES) },
            { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
          )
    return fc
      .record({
        inPath: valuesOf('path'),
        query: valuesOf('query'),
        headers: valuesOf('header'),
        body,
        type: fc.oneof(
          { weight: 10, arbitrary: fc.constant('application/json') },
          { weight: 1, arbitrary: fc.constantFrom(...CONTENT_TYPES) },
        ),
        credential: fc.constantFrom(...CREDENTIALS),
        repeats: fc.constantFrom(1, 1, 1, 2, 50),
      })
      .map(({ inPath, query, headers, type, credential, repeats, ...rest }) => {
        const search = new URLSearchParams(toWellFormed(query)).toString()
        const path = template.replace(/\{(\w+)\}/g, (_, name: string) =>
          encodeURIComponent(withoutSurrogates(inPath[name]!)),
        )
        const repeated = (value: string): string | string[] =>
          repeats === 1 ? value : Array<string>(repeats).fill(value)
        const credentialHeader =
          credential === null ? {} : { [template.startsWith('/ofrep') ? 'x-api-key' : 'authorization']: credential }
        return {
          method,
          template,
          path: `${path}${search === '' ? '' : `?${search}`}`,
          headers: Object.fromEntries([
            ...Object.entries(headers).map(([name, value]) => [name, repeated(toHeaderValue(value))] as const),
            ...Object.entries(credentialHeader).map(
              ([name, value]) => [name, name === 'authorization' ? `Bearer ${value}` : value] as const,
            ),
            ...(rest.body === null ? [] : [['content-type', type] as const]),
          ]),
          body: rest.body,
        }
      })
  })
}

const toWellFormed = (values: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, withoutSurrogates(value)]))

/** A lone surrogate cannot be encoded in a URL. */
const withoutSurrogates = (text: string): string => Buffer.from(text).toString()

/** What may be in a header; the client refuses to send anything else. */
const toHeaderValue = (text: string): string => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?').slice(0, 4_000)

/** A value of a parameter as text: small numbers, so that IDs exist. */
function likelyValue(schema: JsonSchema, resolve: (reference: string) => JsonSchema): fc.Arbitrary<string> {
  const types = [schema.type].flat()
  if (types.includes('integer') || types.includes('number')) return fc.integer({ min: 0, max: 5 }).map(String)
  return schemaValue(schema, resolve).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
}

/** Sends it without a client that corrects anything, on a connection of its own: an answer before the body ends closes it. */
async function send(agent: TestAgent, { method, path, headers, body }: FuzzRequest): Promise<FuzzAnswer> {
  const { hostname, port } = new URL(agent.url)
  return await new Promise((resolve, reject) => {
    const request = sendHttp(
      { hostname, port, method, path, headers: headers as Record<string, string>, agent: false },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () =>
          resolve({
            status: answer.statusCode!,
            type: (answer.headers['content-type'] ?? '').split(';')[0]!,
            text: Buffer.concat(chunks).toString(),
          }),
        )
      },
    )
    request.on('error', reject)
    request.end(body ?? undefined)
  })
}

/** The parts of a response that are not documented. */
function createAnswerValidator(document: OpenApiDocument): (request: FuzzRequest, answer: FuzzAnswer) => string[] {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema(document, 'document')
  const validators = new Map<string, ValidateFunction>()
  return ({ method, template }, { status, type, text }) => {
    const contents = document.paths[template]![method.toLowerCase()]!.responses[status]
    if (contents === undefined) return [`the document has no answer ${status}`]
    if (contents.content === undefined) return text === '' ? [] : [`the document has no body for ${status}`]
    if (contents.content[type] === undefined) return [`the document has no ${type || 'empty body'} for ${status}`]
    if (!/json$/.test(type)) return []
    const segments = ['paths', template, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema']
    const pointer = segments.map((segment) => segment.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')
    const validate = validators.get(pointer) ?? ajv.compile({ $ref: `document#/${encodeURI(pointer)}` })
    validators.set(pointer, validate)
    return validate(JSON.parse(text)) === true
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
  }
}
