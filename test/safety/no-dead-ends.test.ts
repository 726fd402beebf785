import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { createProgram } from '../../agent/src/cli/program.ts'
import { DROP_CHECKS } from '../../agent/src/columnDrop/checks/dropChecks.ts'
import { ProblemCode } from '../../agent/src/contract/index.ts'

type Command = ReturnType<typeof createProgram>

const ROOT = join(import.meta.dirname, '../..')

/** What a person does about a refusal: each must exist. */
type Way =
  | { readonly command: string }
  /** A setting of the rollout file, by its path. */
  | { readonly setting: string }
  | { readonly environment: string }
  /** An admin accepts it by name: the check names its subjects. */
  | { readonly acceptance: string }
  /** Nothing of this project: the application, the database, or the request itself is changed. */
  | { readonly outside: string }

const command = (text: string): Way => ({ command: text })
const setting = (path: string): Way => ({ setting: path })
const environment = (name: string): Way => ({ environment: name })
const outside = (what: string): Way => ({ outside: what })
const accept = (check: string): Way => ({ acceptance: check })

/** A new code does not compile without a way. */
const WAYS_OF_PROBLEMS: Readonly<Record<ProblemCode, readonly Way[]>> = {
  'bad-request': [outside('send what the OpenAPI document describes')],
  'bad-path': [outside('send the path without .. and //')],
  forbidden: [environment('STI_PERSONAL_TOKENS'), environment('STI_GRAFANA_URL'), environment('STI_RIGHTS')],
  'not-found': [command('operations list'), command('baseline'), command('validate')],
  'unknown-rollout': [command('status')],
  refused: [command('status'), command('readiness --todo')],
  superseded: [command('status'), command('flag --enable'), command('flag --disable')],
  'nothing-to-roll-back': [command('status')],
  conflict: [command('operations list'), command('watch 1')],
  'wrong-environment': [command('status --environment staging')],
  'unsupported-media-type': [outside('send application/json')],
  'too-large': [outside('send less')],
  'invalid-body': [outside('send what the OpenAPI document describes')],
  'database-away': [command('status')],
  internal: [outside('the log of the agent has the error')],
}

const WAYS_OF_DROP_CHECKS: Readonly<Record<string, readonly Way[]>> = {
  'validation-passed': [
    command('validate --full-validation'),
    setting('validation.requires'),
    setting('validation.every'),
  ],
  'flag-stable': [
    command('flag --enable --percentage 100'),
    command('accept-client web-1 --reason x'),
    setting('soak'),
  ],
  'no-failed-rows': [command('failed-rows'), command('retry-failed-rows')],
  lossless: [setting('types.restore'), setting('permanentColumns'), accept('lossless')],
  'no-dependent-objects': [outside('replace the object')],
  'no-function-body': [outside('change the function'), accept('no-function-body')],
  'no-statement-reads': [outside('change the application'), setting('soak'), accept('no-statement-reads')],
  'no-statement-writes': [outside('change the application'), setting('soak'), accept('no-statement-writes')],
  'flag-not-evaluated': [outside('remove the flag from the application'), setting('soak')],
  'no-subscriber': [setting('publication'), accept('no-subscriber')],
  'undo-possible': [setting('types.restore'), setting('otherwise.restore')],
}

/** The real program, with actions that do nothing. */
function createParser(): Command {
  const program = createProgram(() => () => Promise.resolve())
  const configure = (part: Command): void => {
    part.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined })
    part.commands.forEach(configure)
  }
  configure(program)
  return program
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  readonly additionalProperties?: SchemaNode | boolean
}
const ROLLOUT_SCHEMA = JSON.parse(await readFile(join(ROOT, 'docs/rollout.schema.json'), 'utf8')) as SchemaNode

function hasSetting(path: readonly string[], node: SchemaNode = ROLLOUT_SCHEMA): boolean {
  const [name, ...rest] = path
  if (name === undefined) return true
  const child = node.properties?.[name]
  if (child !== undefined && hasSetting(rest, child)) return true
  if (typeof node.additionalProperties === 'object' && hasSetting(rest, node.additionalProperties)) return true
  return [node.items, ...(node.anyOf ?? [])].some((part) => part !== undefined && hasSetting(path, part))
}

async function sources(): Promise<{ name: string; texts: string[]; code: string }[]> {
  const names = (await readdir(join(ROOT, 'agent/src'), { recursive: true })).filter((name) =>
    /(?<!\.test)\.ts$/.test(name),
  )
  return await Promise.all(
    names.map(async (name) => {
      const code = await readFile(join(ROOT, 'agent/src', name), 'utf8')
      return { name, code, texts: literals(ts.createSourceFile(name, code, ts.ScriptTarget.ESNext, true)) }
    }),
  )
}

/** A statement names columns, not settings. */
const SQL = /\b(select|insert into|update|delete from|returning|values|where|jsonb_[a-z_]+)\b/

/** The texts of a source file: messages are among them. */
function literals(node: ts.Node): string[] {
  const own =
    ts.isStringLiteral(node) ||
    ts.isNoSubstitutionTemplateLiteral(node) ||
    ts.isTemplateHead(node) ||
    ts.isTemplateMiddle(node) ||
    ts.isTemplateTail(node)
      ? [node.text]
      : []
  const inner: string[] = []
  ts.forEachChild(node, (child) => void inner.push(...literals(child)))
  return [...own, ...inner]
}

const SOURCES = await sources()

async function fault(way: Way): Promise<string | null> {
  if ('command' in way)
    return await createParser()
      .parseAsync(way.command.split(' '), { from: 'user' })
      .then(
        () => null,
        (error: Error) => `sti ${way.command}: ${error.message}`,
      )
  if ('setting' in way) return hasSetting(way.setting.split('.')) ? null : `the rollout file has no ${way.setting}`
  if ('environment' in way)
    return knownVariables().has(way.environment) ? null : `the agent reads no ${way.environment}`
  if ('acceptance' in way) {
    const source = SOURCES.find(
      ({ code, name }) => name.startsWith('columnDrop/checks/') && code.includes(`'${way.acceptance}'`),
    )
    return source !== undefined && /acceptable:/.test(source.code) ? null : `${way.acceptance} names nothing to accept`
  }
  return null
}

/** What the agent and the command read from their environment. */
function knownVariables(): Set<string> {
  const readers = SOURCES.filter(({ name }) => ['config.ts', 'envReader.ts'].includes(name) || name.startsWith('cli/'))
  const direct = readers.flatMap(({ code }) => [...code.matchAll(/STI_[A-Z0-9_]+/g)].map(([name]) => name))
  return new Set(direct.flatMap((name) => [name, `${name}_FILE`]))
}

describe('no refusal is a dead end', () => {
  test.each(Object.entries(WAYS_OF_PROBLEMS))('the problem %s', async (_, ways) => {
    expect(ways.length).toBeGreaterThan(0)
    expect((await Promise.all(ways.map(fault))).filter((text) => text !== null)).toEqual([])
  })

  test('every problem of the contract has a way', () => {
    expect(Object.keys(WAYS_OF_PROBLEMS).sort()).toEqual([...ProblemCode.options].sort())
  })

  test.each(DROP_CHECKS.map(({ name }) => name))('the check %s of the column drop', async (name) => {
    const ways = WAYS_OF_DROP_CHECKS[name] ?? []
    expect(ways.length, `say in this table what to do about ${name}`).toBeGreaterThan(0)
    expect((await Promise.all(ways.map(fault))).filter((text) => text !== null)).toEqual([])
  })

  test('every check that can be inconclusive for good can be accepted', () => {
    const unable = SOURCES.filter(({ name }) => /^columnDrop\/checks\/no(Function|Statement|Subscriber)/.test(name))
    expect(unable.length).toBeGreaterThan(2)
    for (const { name, code } of unable) expect(code, name).toMatch(/acceptable:/)
  })

  test('every environment variable that a message names is read', () => {
    const known = knownVariables()
    const named = SOURCES.flatMap(({ name, texts }) =>
      texts.flatMap((text) =>
        [...text.matchAll(/\bSTI_[A-Z][A-Z0-9_]*[A-Z0-9]\b/g)].map(([variable]) => ({ name, variable })),
      ),
    )
    expect(named.length).toBeGreaterThan(20)
    // An alerting file names variables of Grafana, by any name.
    const unknown = named.filter(
      ({ name, variable }) => !known.has(variable) && name !== 'provisioning/alertingFile.ts',
    )
    expect(unknown).toEqual([])
  })

  test('every setting of the rollout file that a sentence names exists', () => {
    const top = Object.keys(ROLLOUT_SCHEMA.properties ?? {})
    const named = SOURCES.flatMap(({ name, texts }) =>
      texts
        .filter((text) => text.includes(' ') && !SQL.test(text))
        .flatMap((text) => [...text.matchAll(/(?<![.\w])([a-z][A-Za-z]+)((?:\.[a-z][A-Za-z]+)+)\b(?![(:/])/g)])
        .filter(([path, first]) => top.includes(first!) && !path.endsWith('.md') && !/^signals\./.test(path))
        .map(([path]) => ({ name, path })),
    )
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter(({ path }) => !hasSetting(path.split('.')))).toEqual([])
  })
})
