import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { createProgram } from './program.ts'

const ROOT = join(import.meta.dirname, '../../..')

/** The real program, with actions that do nothing. */
function createParser(): Command {
  const program = createProgram(() => () => Promise.resolve())
  configure(program)
  return program
}

function configure(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined })
  command.commands.forEach(configure)
}

/** Leaf commands by their full name, such as `operations tune`. */
function leafCommands(command = createParser(), path: readonly string[] = []): [string, Command][] {
  if (command.commands.length === 0) return [[path.join(' '), command]]
  return command.commands.flatMap((child) => leafCommands(child, [...path, child.name()]))
}

const longOptions = (command: Command): string[] => command.options.map(({ long }) => long!)

/** The command that the words name, and the words after its name; null if there is no such command. */
function findCommand(words: readonly string[]): { command: Command; rest: string[] } | null {
  let command = createParser()
  let depth = 0
  for (; depth < words.length && command.commands.length > 0; depth++) {
    const child = command.commands.find((candidate) => candidate.name() === words[depth])
    if (child === undefined) break
    command = child
  }
  return depth === 0 ? null : { command: defaultSubcommand(command), rest: words.slice(depth) }
}

function defaultSubcommand(command: Command): Command {
  return command.commands.find((child) => ['list', 'show'].includes(child.name())) ?? command
}

async function filesBelow(folder: string, extensions: RegExp): Promise<string[]> {
  const entries = await readdir(join(ROOT, folder), { recursive: true })
  return entries.filter((name) => extensions.test(name)).map((name) => join(folder, name))
}

interface ShownCommand {
  readonly place: string
  /** Without `sti`. */
  readonly text: string
  /**
   * True if the whole text is the command, such as a code span; otherwise the command is the beginning of a sentence.
   */
  readonly isDelimited: boolean
}

/** Inline code and the lines of an example; `sti <command>` and `sti …` stand for any command. */
const CODE = /`(?:npm run )?sti (?:-- )?(?![<…])([^`]+)`|^\$ sti (.+)$/gm

function commandsInMarkdown(place: string, text: string): ShownCommand[] {
  const shown = [...text.matchAll(CODE)].map((match) => ({
    place: `${place}:${text.slice(0, match.index).split('\n').length}`,
    text: (match[1] ?? match[2] ?? '').replaceAll('\\|', '|').replace(/\s+/g, ' '),
    isDelimited: true,
  }))
  return [...shown, ...commandsInScripts(place, text)]
}

/** The lines of shell scripts, without redirections, pipes and comments; a variable stands for a value. */
function commandsInScripts(place: string, text: string): ShownCommand[] {
  const scripts = [...text.matchAll(/^ *```sh\n([\s\S]*?)^ *```/gm)].map(([, script]) => script!)
  return scripts.flatMap((script) =>
    [...script.replaceAll('\\\n', ' ').matchAll(/^ *(?:npm run )?sti (?:-- )?([^#|>\n]+)/gm)].map(([, command]) => ({
      place,
      text: command!.trim().replace(/\s+/g, ' '),
      isDelimited: true,
    })),
  )
}

/** `sti <word>` in a message; `schema sti` is the database schema. */
const IN_PROSE = /(?<![\w.~"/@-])(?<![sS]chema (?:if exists )?)sti (?!%)([a-z][^`)\\<\n'“”]*)/g

function commandsInSource(place: string, source: string): ShownCommand[] {
  // Comments and the name of the database schema are not shown to users.
  const text = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  return [...text.matchAll(IN_PROSE)].map((match) => ({ place, text: match[1]!, isDelimited: false }))
}

async function collectCommands(): Promise<ShownCommand[]> {
  const markdown = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'alerts/RUNBOOK.md']
  const sources = [
    ...(await filesBelow('agent/src', /(?<!\.test)\.ts$/)),
    ...(await filesBelow('plugin/src', /(?<!\.test)\.tsx?$/)),
    ...(await filesBelow('plugin/dashboard', /(?<!\.test)\.ts$/)),
    ...(await filesBelow('alerts', /\.rules\.yml$/)),
  ]
  const shown: ShownCommand[] = []
  for (const file of [...markdown, ...(await filesBelow('docs', /\.md$/))])
    shown.push(...commandsInMarkdown(file, await readFile(join(ROOT, file), 'utf8')))
  for (const file of sources) shown.push(...commandsInSource(file, await readFile(join(ROOT, file), 'utf8')))
  return shown
}

/** The fault of a shown command; null if the program accepts it. */
function findFault({ text, isDelimited }: ShownCommand): string | null {
  const words = splitWords(text)
  const found = findCommand(words.map((word) => word.replace(/[.,:;…]+$/, '')))
  if (found === null)
    return words[0]?.startsWith('-') ? findUnknownOption(createParser(), text) : `no command ${words[0]}`
  const { command } = found
  const unknown = findUnknownOption(command, isDelimited ? text : optionsAfter(text))
  if (unknown !== null || !isDelimited || /[[\]|…<]|\b(?:TEXT|FILE|KEY|ID|LEVEL|SECONDS)\b/.test(text)) return unknown
  return findParseFault(command, words)
}

function splitWords(text: string): string[] {
  return (text.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^["']|["']$/g, ''))
}

/** The options that directly follow the command, up to the end of the sentence's clause. */
const optionsAfter = (text: string): string => /^[^.,;:()]*/.exec(text)![0]

function findUnknownOption(command: Command, text: string): string | null {
  const known = [...longOptions(command), '--help', '--version']
  const unknown = [...text.matchAll(/(?<=^|[\s[])--[a-z][a-z-]*/g)]
    .map(([option]) => option)
    .find((option) => !known.includes(option))
  return unknown === undefined ? null : `no option ${unknown}`
}

/** Inline code that only names a command may omit its required arguments. */
function findParseFault(command: Command, words: readonly string[]): string | null {
  const namesOnly = words.every((word) => /^[a-z-]+$/.test(word) && !word.startsWith('-'))
  if (namesOnly) return null
  try {
    createParser().parse([...words], { from: 'user' })
    return null
  } catch (error) {
    return `${command.name()}: ${(error as Error).message}`
  }
}

describe('docs/cli.md', () => {
  const COMMON_OPTIONS = [
    '--environment',
    '--rollout',
    '--config',
    '--json',
    '--reason',
    '--dry-run',
    '--detach',
    '--wait-timeout',
  ]

  test.each(leafCommands())('describes sti %s with every option', async (name, command) => {
    const page = await readFile(join(ROOT, 'docs/cli.md'), 'utf8')
    const descriptions = describing(page, name)
    expect(descriptions, `docs/cli.md does not describe sti ${name}`).not.toBe('')
    for (const option of longOptions(command).filter((long) => !COMMON_OPTIONS.includes(long)))
      expect(descriptions, `docs/cli.md, sti ${name}: describe ${option}`).toContain(option)
  })

  test('describes only options that exist', async () => {
    const page = await readFile(join(ROOT, 'docs/cli.md'), 'utf8')
    const sections = page.split(/^##+ /m)
    for (const section of sections) {
      const [, name] = /^`sti ([a-z- ]+?)(?: <[a-z]+>)?`\n/.exec(section) ?? []
      if (name === undefined) continue
      const { command } = findCommand(name.split(' ')) ?? {}
      expect(command, `sti ${name} is not a command`).toBeDefined()
      for (const [, option] of section.matchAll(/^\| `(--[a-z-]+)/gm))
        expect(longOptions(command!), `docs/cli.md, sti ${name}`).toContain(option)
    }
  })

  /** The section, and the rows of tables, that describe a command. */
  function describing(page: string, name: string): string {
    const sections = page.split(/^##+ /m).filter((section) => new RegExp(`^\`sti ${name}[\` ]`).test(section))
    const rows = page
      .split('\n')
      .filter((line) => line.startsWith(`| \`sti ${name}`) && /^[` ]/.test(line.slice(7 + name.length)))
    return [...sections, ...rows].join('\n')
  }
})

test('the program accepts every command that a document, a rule, or a message shows', async () => {
  const shown = await collectCommands()
  expect(shown.length).toBeGreaterThan(150)
  const faults = shown.flatMap((command) => {
    const fault = findFault(command)
    return fault === null ? [] : [`${command.place}: sti ${command.text.slice(0, 80)}: ${fault}`]
  })
  expect(faults).toEqual([])
})
