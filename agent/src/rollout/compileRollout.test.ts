import { Ajv2020 } from 'ajv/dist/2020.js'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { compileRollout, loadRolloutOrGroup, loadRollouts, RolloutFileError } from './compileRollout.ts'
import type { Rollout } from './rollout.ts'
import { generatedSchemaFiles, rolloutJsonSchema } from './jsonSchema.ts'

const VALID_FILE = `rollout: vehicles
table: public.vehicles
types:
  - { name: Truck, when: is_truck, restore: { is_truck: "true", is_bike: "false" } }
  - { name: Bike, when: is_bike, restore: { is_truck: "false", is_bike: true } }
otherwise: { name: Car, restore: { is_truck: false, is_bike: "false" } }
legacyColumns: [is_truck, is_bike]
flag: { key: vehicles-sti }
`

function compileValid(text: string): Rollout {
  const { rollout, faults } = compileRollout('v.yaml', text)
  expect(faults).toEqual([])
  return rollout!
}

/** The faults of a valid file with one replacement. */
function faultsOf(replace: string, by: string): readonly string[] {
  const text = VALID_FILE.replace(replace, by)
  expect(text).not.toBe(VALID_FILE)
  return compileRollout('v.yaml', text).faults
}

async function withFiles<T>(files: Record<string, string>, test: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-rollouts-'))
  try {
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)))
    return await test(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('a file is compiled to SQL, with defaults for missing keys', () => {
  const rollout = compileValid(VALID_FILE)
  expect(rollout.derive('new')).toBe(
    `case when (new."is_truck") then 'Truck'::text when (new."is_bike") then 'Bike'::text else 'Car'::text end`,
  )
  expect(rollout).toMatchObject({
    name: 'vehicles',
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    discriminator: { column: 'type', sql: '"type"', dataType: 'text' },
    types: ['Truck', 'Bike', 'Car'],
    conditionColumns: ['is_truck', 'is_bike'],
    mayBeUnmapped: false,
    nameSearchPath: 'pg_catalog, public, pg_temp',
  })
  expect([...rollout.restoreValues('Bike')!].map(([column, value]) => [column, value.kind, value.sql('t')])).toEqual([
    ['is_truck', 'constant', 'false'],
    ['is_bike', 'constant', 'true'],
  ])
  expect(() => rollout.restoreValues('Boat')).toThrow(/has no type Boat/)
  expect(rollout.file).toMatchObject({
    flag: { ramp: [1, 10, 50, 100], hold: 600 },
    limits: { apiLatencyIncrease: 0.1, queryTimeIncrease: 0.05, resourceUsage: 0.8, errorRatio: 0.001 },
    validation: { every: 3_600, requires: ['integrity', 'performance', 'system', 'business'] },
    soak: 604_800,
    backup: { maxAge: 86_400 },
    automaticRollback: ['flag'],
    host: 'local',
  })
  expect(rollout.locate(['types', 1, 'when'])).toBe('v.yaml:5:25')
})

test('restore values are constants, keep or expressions, and one type can have none', () => {
  const rollout = compileValid(`rollout: r
table: t
types:
  - { name: A, when: a & 1 <> 0 and p > 2, restore: { a: { sql: "a | 1" }, b: keep } }
  - { name: B, when: b is not null, restore: none }
otherwise: { name: C, restore: { a: 0, b: null } }
legacyColumns: [a, b]
permanentColumns: [p]
acceptLostWrites: true
flag: { key: r }
`)
  const values = (type: string): unknown =>
    [...rollout.restoreValues(type)!].map(([column, { kind, sql }]) => [column, kind, sql('old')])
  expect(values('A')).toEqual([
    ['a', 'expression', '(old."a" | 1)'],
    ['b', 'keep', 'old."b"'],
  ])
  expect(values('C')).toEqual([
    ['a', 'constant', '0'],
    ['b', 'constant', 'null'],
  ])
  expect(rollout.typesWithoutRestore).toEqual(['B'])
  expect(rollout.conditionColumns).toEqual(['a', 'p', 'b'])
  expect(rollout.file.automaticRollback).toEqual([])
})

test.each<[string, string, string, RegExp]>([
  ['restore of a permanent column', 'is_bike: true', 'is_bike: true, axles: 3', /restore.axles is in permanentColumns/],
  [
    'an unknown column in an expression',
    'is_bike: true',
    'is_bike: { sql: axels > 2 }',
    /sql reads axels, .* mean axles/,
  ],
  ['an expression that is not one', 'is_bike: true', 'is_bike: { sql: "axles >" }', /sql is not an SQL expression/],
  ['another key', 'is_bike: true', 'is_bike: { sq: axles }', /sql|unknown key/],
  ['a column that goes and stays', '[axles]', '[axles, is_bike]', /permanentColumns\[1\] is also in legacyColumns/],
  [
    'restore: none of a type with automatic rollback',
    'restore: { is_truck: "false", is_bike: true }',
    'restore: none',
    /automaticRollback must be \[\]/,
  ],
])('with permanent columns, refuses %s', (_, replace, by, fault) => {
  const text = `${VALID_FILE}permanentColumns: [axles]\nautomaticRollback: [flag]\n`
  expect(text).toContain(replace)
  const { faults } = compileRollout('v.yaml', text.replace(replace, by))
  expect(faults.join('\n')).toMatch(fault)
})

test('quoted names in the file and in types are preserved', () => {
  const rollout = compileValid(`rollout: q
table: '"My Schema"."Ve""h"'
discriminator: { column: '"The ""Type"', dataType: varchar(20) }
types: [{ name: "O'Neill", when: '"Is ""T" -- yes', restore: { '"Is ""T"': true } }]
legacyColumns: ['"Is ""T"']
flag: { key: q }
`)
  expect(rollout.derive('t')).toBe(`case when (t."Is ""T" -- yes\n) then 'O''Neill'::varchar(20) end`)
  expect(rollout.mayBeUnmapped).toBe(true)
  expect(rollout.discriminator.sql).toBe('"The ""Type"')
  expect([...rollout.restoreValues("O'Neill")!.keys()]).toEqual(['Is "T'])
  expect(rollout.nameSearchPath).toBe('pg_catalog, "My Schema", public, pg_temp')
})

test('every fault of a file is a line with its location', () => {
  const { faults } = compileRollout(
    'bad.yaml',
    `rollout: veh icles
table: public.vehicles v
types:
  - { name: Truck, when: is_truk, restore: { is_truck: "true", is_bike: maybe } }
  - { name: Truck, when: "is_bike and", restore: { is_truck: "false" } }
legacyColums: [x]
legacyColumns: [is_truck, is_bike]
flag: { key: vehicles, ramp: [10, 5], hold: 10x }
host: { promq: 1 }
`,
  )
  expect(faults).toEqual([
    expect.stringMatching(/^bad.yaml:1:10 rollout must match/),
    expect.stringMatching(/^bad.yaml:2:8 table "public.vehicles v" is not a table name\. Write it as in SQL/),
    expect.stringMatching(
      /^bad.yaml:4:26 types\[0\].when reads is_truk, which is not in legacyColumns\. Did you mean is_truck\?/,
    ),
    expect.stringMatching(/^bad.yaml:4:73 types\[0\].restore.is_bike "maybe" is a column name.*as "'maybe'"/),
    expect.stringMatching(/^bad.yaml:5:13 types\[1\].name repeats Truck/),
    expect.stringMatching(/^bad.yaml:5:26 types\[1\].when is not an SQL expression: syntax error/),
    expect.stringMatching(/^bad.yaml:6:1 unknown key "legacyColums"\. Did you mean "legacyColumns"\?/),
    expect.stringMatching(/^bad.yaml:8:30 flag.ramp must increase and end with 100/),
    expect.stringMatching(/^bad.yaml:8:45 flag.hold is not a duration\. Write one such as/),
    expect.stringMatching(/^bad.yaml:9:7 host.promql is missing\. Add it/),
    expect.stringMatching(/^bad.yaml:9:9 unknown key "promq"\. Did you mean "promql"\?/),
  ])
})

test.each<[string, string, string, RegExp]>([
  [
    'a type without restore',
    ', restore: { is_truck: "true", is_bike: "false" }',
    '',
    /4:5 types\[0\] has no restore.*or set restore: none/,
  ],
  ...['null', '~', "''", '" "', '"NULL"'].flatMap((name): [string, string, string, RegExp][] => [
    [
      `otherwise named ${name}`,
      'name: Car',
      `name: ${name}`,
      /otherwise\.name is NULL or empty\. .*"A base class without a type"/,
    ],
    [
      `a type named ${name}`,
      'name: Bike',
      `name: ${name}`,
      /types\[1\]\.name is NULL or empty\. .*base class needs a name/,
    ],
  ]),
  ['otherwise without restore', ', restore: { is_truck: false, is_bike: "false" }', '', /otherwise has no restore/],
  [
    'a restore that omits a column of a when',
    ', is_bike: true',
    '',
    /restore has no value for is_bike, which a when reads/,
  ],
  ['a restore of another column', 'is_bike: true', 'is_bike: true, axles: 3', /restore.axles is not in legacyColumns/],
  ['restore together with restore: none', 'rollout:', 'restore: none\nrollout:', /conflicts with restore: none/],
  ['acceptance without restore: none', 'rollout:', 'acceptLostWrites: true\nrollout:', /requires restore: none/],
  ['the discriminator as a legacy column', '[is_truck, is_bike]', '[is_truck, is_bike, type]', /is the discriminator/],
  [
    'a column named twice',
    '[is_truck, is_bike]',
    '[is_truck, is_bike, IS_BIKE]',
    /7:36 legacyColumns\[2\] repeats is_bike/,
  ],
  [
    'notNull without otherwise',
    /otherwise.*\n/.exec(VALID_FILE)![0],
    'constraint: notNull\n',
    /cannot be notNull, since a row that no type matches/,
  ],
  [
    'a prefill that the application overwrites',
    'rollout:',
    'prefill: majority\ndualWrite: application\nrollout:',
    /1:10 prefill cannot be majority with dualWrite: application/,
  ],
  [
    'a prefill that subscribers would not receive',
    'rollout:',
    'prefill: majority\npublication: subscriber-ready\nrollout:',
    /1:10 prefill cannot be majority with publication: subscriber-ready/,
  ],
  ['a key twice', 'table:', 'rollout: b\ntable:', /2:1 duplicate key/],
  ['two documents', 'flag:', '---\nflag:', /a file contains one rollout/],
  ['U+0000 in a value', 'vehicles-sti', '"vehicles-sti\\0"', /a text contains U\+0000/],
  ['U+0000 in a key', 'flag:', '"note\\0": 1\nflag:', /a text contains U\+0000/],
  ['half of a surrogate pair', 'vehicles-sti', '"vehicles\\ud800"', /a text contains U\+0000 or half/],
  ['a tag', 'rollout: vehicles', 'rollout: !!js/regexp vehicles', /is not YAML/],
  ['a wrong flag key', 'vehicles-sti', 'a/b', /flag.key must match/],
  [
    'two sources of a signal',
    'flag:',
    'signals: [{ name: a, promql: x, sql: select 1, limit: 1 }]\nflag:',
    /needs either promql or sql/,
  ],
  [
    'a limit that is none',
    'flag:',
    'throttle: { walBytesPerSecond: fast }\nflag:',
    /throttle.walBytesPerSecond must be a number of 0 or more, none, or an object of pace, pause and abort/,
  ],
  [
    'an abort before the pause',
    'flag:',
    'throttle: { slotRetainedBytes: { pause: 5, abort: 4 } }\nflag:',
    /throttle.slotRetainedBytes must rise/,
  ],
  ['an unknown limit', 'flag:', 'throttle: { lockWaiter: 1 }\nflag:', /Did you mean "lockWaiters"/],
  [
    'an unknown tier',
    'flag:',
    'throttle: { lockWaiters: { pace: 1 } }\nflag:',
    /throttle.lockWaiters must be|unknown key|Unrecognized key/,
  ],
  [
    'a limit of a signal that does not exist',
    'flag:',
    'throttle: { signals: { queue: 5 } }\nflag:',
    /throttle.signals.queue does not match an entry of signals. Entries: none/,
  ],
  [
    'a limit of the latency without a source',
    'flag:',
    'throttle: { apiLatencyP95Seconds: 0.2 }\nflag:',
    /throttle.apiLatencyP95Seconds requires api/,
  ],
  [
    'a check that writes',
    'flag:',
    'checks: [{ name: a, violations: "delete from t" }]\nflag:',
    /violations must be exactly one SELECT/,
  ],
  [
    'a check named twice',
    'flag:',
    'checks: [{ name: a, violations: select 1 }, { name: a, violations: select 1 }]\nflag:',
    /is already used/,
  ],
  [
    'a contact without phone or email address',
    'flag:',
    'contacts: [{ role: a, name: b, escalateAfter: 5m }]\nflag:',
    /needs a phone or an email/,
  ],
  [
    'contacts out of order',
    'flag:',
    'contacts: [{ role: a, name: b, phone: "1", escalateAfter: 5m }, { role: c, name: b, phone: "1", escalateAfter: 5m }]\nflag:',
    /must be later than that of the previous contact/,
  ],
  [
    'a password in an address',
    'flag:',
    'api: { histogram: { url: "http://a:b@c/metrics", name: x } }\nflag:',
    /without a user name or password/,
  ],
  [
    'a pattern',
    'flag:',
    'api: { histogram: { url: "http://c/metrics", name: x, errors: { status: "(" } } }\nflag:',
    /not a regular expression/,
  ],
  [
    'a path that leaves the repository',
    'flag:',
    'migration: { path: "../{name}.sql" }\nflag:',
    /path inside the repository/,
  ],
  ['a type name with a control character', 'name: Truck', 'name: "Tr\\u0001"', /has control characters/],
  ['a number where a text belongs', 'public.vehicles', '7', /table must be a text/],
  ['a list where a map belongs', '{ key: vehicles-sti }', '[a]', /flag must be a map/],
  ['a ramp that does not end', 'vehicles-sti', 'a, ramp: [1, 50]', /end with 100/],
])('refuses %s', (_, replace, by, fault) => {
  const faults = faultsOf(replace, by)
  expect(faults).toHaveLength(_ === 'restore together with restore: none' ? 3 : 1)
  expect(faults[0]).toMatch(fault)
})

test.each(['', '- a', 'just text', 'a: [', '{}', '\u0000', 'a: &a [*a]'])(
  'invalid text %j gives faults and never an exception',
  (text) => {
    const { faults, rollout } = compileRollout('v.yaml', text)
    expect(rollout).toBeUndefined()
    expect(faults.length).toBeGreaterThan(0)
    for (const fault of faults) expect(fault).toMatch(/^v.yaml:\d+:\d+ \S/)
  },
)

test('restore: none disables automatic rollback, and refuses a file that enables it', () => {
  const text = VALID_FILE.replace(/, restore: \{[^}]*\}/g, '') + 'restore: none\n'
  const rollout = compileValid(text)
  expect(rollout.restoreValues('Truck')).toBeNull()
  expect(rollout.file).toMatchObject({ restore: 'none', acceptLostWrites: false, automaticRollback: [] })
  expect(compileValid(`${text}acceptLostWrites: true\n`).file.acceptLostWrites).toBe(true)
  expect(compileRollout('v.yaml', `${text}automaticRollback: [flag]\n`).faults).toEqual([
    expect.stringMatching(/automaticRollback must be \[\] with restore: none/),
  ])
})

test('a folder: the faults of all files are reported together, and only YAML files are read', async () => {
  const other = VALID_FILE.replace('rollout: vehicles', 'rollout: other').replace('vehicles-sti', 'other')
  await withFiles(
    {
      'a.yaml': VALID_FILE,
      'b.yml': other.replace('is_truck', 'is_truk('),
      'c.yaml': 'rollout: 1\n',
      'notes.txt': 'a: [',
    },
    async (folder) => {
      const error = await loadRollouts(folder).catch((error: unknown) => error)
      expect(error).toBeInstanceOf(RolloutFileError)
      const { faults } = error as RolloutFileError
      expect(faults.some((fault) => fault.startsWith(join(folder, 'b.yml:4:')))).toBe(true)
      expect(faults.some((fault) => fault.startsWith(join(folder, 'c.yaml:1:10 rollout must be a text')))).toBe(true)
      expect(faults.some((fault) => fault.includes('a.yaml') || fault.includes('notes'))).toBe(false)
    },
  )
  await withFiles(
    { 'a.yaml': VALID_FILE, 'b.yaml': VALID_FILE.replace('public.vehicles', 'VEHICLES') },
    async (folder) => {
      const error = (await loadRollouts(folder).catch((error: unknown) => error)) as RolloutFileError
      expect(error.faults).toEqual([
        expect.stringMatching(/b.yaml:1:10 this rollout’s name is already used in .*a.yaml/),
        expect.stringMatching(/b.yaml:2:8 this table is already used in .*a.yaml/),
        expect.stringMatching(/b.yaml:8:14 this flag key is already used in .*a.yaml/),
      ])
    },
  )
  await withFiles(
    { 'a.yaml': VALID_FILE, 'b.yaml': other.replace('public.vehicles', 'public.boats') },
    async (folder) => {
      expect((await loadRollouts(folder)).map((rollout) => rollout.name)).toEqual(['vehicles', 'other'])
    },
  )
  await expect(loadRollouts('/nowhere/at/all')).rejects.toThrow(
    /Cannot read the rollout folder .* \(ENOENT\)\. Create it or configure another/,
  )
  await expect(loadRolloutOrGroup('/nowhere/a.yaml')).rejects.toThrow(/Cannot read \/nowhere\/a.yaml \(ENOENT\)/)
})

test('the hash covers the text: an added comment changes it', () => {
  expect(compileValid(VALID_FILE).hash).toBe(compileValid(VALID_FILE).hash)
  expect(compileValid(`${VALID_FILE}# more\n`).hash).not.toBe(compileValid(VALID_FILE).hash)
})

const root = new URL('../../../', import.meta.url)

test('the examples in the documentation are valid, and it describes every key', async () => {
  const text = await readFile(new URL('docs/rollout-file.md', root), 'utf8')
  const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1]!)
  expect(examples.length).toBeGreaterThan(1)
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(rolloutJsonSchema())
  for (const example of examples) {
    compileValid(example)
    expect(validate(parse(example)), JSON.stringify(validate.errors)).toBe(true)
  }
  for (const key of Object.keys(rolloutJsonSchema()['properties'] as object)) expect(text).toContain(`\`${key}\``)
  expect(validate(parse(`${examples[0]}\nsoack: 7d\n`))).toBe(false)
})

test('the JSON Schema in docs matches the code', async () => {
  for (const { path, text } of generatedSchemaFiles()) {
    const current = await readFile(new URL(path, root), 'utf8')
    expect(JSON.parse(current), `${path} is outdated. Run npm run generate.`).toEqual(JSON.parse(text))
  }
})
