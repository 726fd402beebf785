import fc from 'fast-check'

/** The keywords of JSON Schema that the OpenAPI document of the agent uses. */
export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly minimum?: number
  readonly maximum?: number
  readonly format?: string
}

const HOSTILE_TEXTS = [
  ...['', ' ', '0', '-1', '1.5', 'NaN', 'null', 'true', 'newest', 'latest', 'vehicles', '__proto__', 'constructor'],
  ...['9007199254740993', '9223372036854775807', '9223372036854775808', '1e308', '1e999', '0x10', '-0'],
  ...["'; select 1 --", '{"a":1}', '<img src=x onerror=alert(1)>', '../..', '%00', '${a}', '\u202e', '\u001b[31m'],
  ...['0000-01-01T00:00:00Z', '9999-12-31T23:59:60Z', '2026-02-30T00:00:00Z', '-000001-01-01T00:00:00Z'],
  ...['x'.repeat(8_000), 'é'.repeat(3_000), '1'.repeat(400)],
]

/** Texts that programs stumble over, and any other text. */
export const hostileText = (): fc.Arbitrary<string> =>
  fc.oneof(fc.constantFrom(...HOSTILE_TEXTS), fc.string({ unit: 'binary', maxLength: 40 }))

const hostileValue = (): fc.Arbitrary<unknown> =>
  fc.oneof(
    hostileText(),
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom<unknown>(null, true, 0, -1, 1e308, -1e308, 2 ** 53, 5e-324, 1.5, [], {}, [[]]),
  )

/**
 * Values of a schema, most of them valid: each part is now and then replaced by something else, so that requests pass the
 * schema, fail in one field, or fail everywhere.
 */
export function schemaValue(
  schema: JsonSchema,
  resolve: (reference: string) => JsonSchema,
  depth = 0,
): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 12, arbitrary: validValue(schema, resolve, depth) },
    { weight: 1, arbitrary: hostileValue() },
  )
}

function validValue(
  schema: JsonSchema,
  resolve: (reference: string) => JsonSchema,
  depth: number,
): fc.Arbitrary<unknown> {
  if (depth > 8) return hostileValue()
  const inner = (part: JsonSchema): fc.Arbitrary<unknown> => schemaValue(part, resolve, depth + 1)
  if (schema.$ref !== undefined) return validValue(resolve(schema.$ref), resolve, depth + 1)
  if ('const' in schema) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  const alternatives = schema.anyOf ?? schema.oneOf
  if (alternatives !== undefined) return fc.oneof(...alternatives.map(inner))
  if (schema.allOf !== undefined)
    return fc.tuple(...schema.allOf.map(inner)).map((parts) => Object.assign({}, ...(parts as object[])) as unknown)
  const types = [schema.type ?? 'any'].flat()
  return fc.oneof(...types.map((type) => typedValue(type, schema, inner)))
}

function typedValue(
  type: string,
  schema: JsonSchema,
  inner: (part: JsonSchema) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const { minimum = -1_000_000, maximum = 1_000_000 } = schema
  switch (type) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.oneof(
        fc.integer({ min: Math.ceil(minimum), max: Math.floor(maximum) }),
        fc.constantFrom(minimum, maximum),
      )
    case 'number':
      return fc.double({ min: minimum, max: maximum, noNaN: true })
    case 'string':
      if (schema.format === 'date-time')
        return fc.oneof(
          fc.date({ noInvalidDate: true, min: new Date(0) }).map((date) => date.toISOString()),
          hostileText(),
        )
      return fc.oneof(fc.constantFrom('staging', 'vehicles', 'reason'), hostileText())
    case 'array':
      return fc.array(inner(schema.items ?? {}), { maxLength: 3 })
    case 'object':
      return objectValue(schema, inner)
    default:
      return hostileValue()
  }
}

function objectValue(
  { properties = {}, required = [] }: JsonSchema,
  inner: (part: JsonSchema) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const values = fc.record(Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, inner(part)])), {
    requiredKeys: [...required],
  })
  const additional = fc.dictionary(hostileText(), hostileValue(), { maxKeys: 2 })
  return fc
    .tuple(values, fc.oneof({ weight: 8, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: additional }))
    .map(([known, more]) => Object.assign({}, more, known) as unknown)
}
