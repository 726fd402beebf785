import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createProgram } from '../agent/src/cli/program.ts'
import { OPERATION_ACTIONS } from '../agent/src/contract/index.ts'

const root = new URL('../', import.meta.url)
type Command = ReturnType<typeof createProgram>

const leafCommands = (command: Command, path: readonly string[] = []): string[] =>
  command.commands.length === 0
    ? [path.join(' ')]
    : command.commands.flatMap((child) => leafCommands(child, [...path, child.name()]))

/** The rows of docs/plugin.md that name a command and its control. */
async function documentedControls(): Promise<{ command: string; control: string }[]> {
  const text = await readFile(new URL('docs/plugin.md', root), 'utf8')
  return [...text.matchAll(/^\| `sti ([a-z -]+)` +\| (.*?) *\|$/gm)].map(([, command, control]) => ({
    command: command!.trim(),
    control: control!,
  }))
}

/** The texts of the plugin's components, and the labels of the actions that the contract declares. */
async function visibleTexts(): Promise<string> {
  const folder = new URL('plugin/src/', root)
  const names = (await readdir(folder, { recursive: true })).filter((name) => /(?<!\.test)\.tsx?$/.test(name))
  const files = await Promise.all(names.map((name) => readFile(new URL(name, folder), 'utf8')))
  const labels = Object.values(OPERATION_ACTIONS).map(({ label }) => `'${label}'`)
  return [...files, ...labels].join('\n')
}

test('each command of sti has a control in Grafana, which exists, or the reason why it has none', async () => {
  const controls = await documentedControls()
  const commands = leafCommands(createProgram(() => () => Promise.resolve()))
  expect(controls.map(({ command }) => command).sort()).toEqual([...commands].sort())
  const texts = await visibleTexts()
  for (const { command, control } of controls) {
    const names = [...control.matchAll(/\*\*(.+?)\*\*/g)].map(([, name]) => name!)
    if (names.length === 0) expect(control, command).toMatch(/^none: .{30}/)
    // A label, a title, or the text of an element: never a part of another sentence.
    for (const name of names)
      expect(new RegExp(`(['">\`]|^\\s*)${name}(['"<\`,]|\\s*$)`, 'm').test(texts), `${command}: ${name}`).toBe(true)
  }
})
