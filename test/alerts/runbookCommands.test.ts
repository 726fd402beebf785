import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createProgram } from '../../agent/src/cli/program.ts'
import { fillCommand } from '../../agent/src/format/runbookCommand.ts'

type Command = ReturnType<typeof createProgram>

const runbook = await readFile(new URL('../../alerts/RUNBOOK.md', import.meta.url), 'utf8')
const commands = [
  ...new Set([...runbook.matchAll(/`(sti [a-z][^`]*)`/g)].map(([, command]) => command!.replace(/\s+/g, ' '))),
].filter((command) => command !== 'sti status …')

test('the runbook shows commands', () => expect(commands.length).toBeGreaterThan(20))

test.each(commands)('the program accepts %s with its environment and rollout filled in', (command) => {
  const filled = fillCommand(command, { environment: 'staging', rollout: 'vehicles' })
  const words = filled
    // What a person fills in.
    .replace('<name=value>', 'lockWaiters=5')
    .replace(/<[a-z]+>/g, '7')
    .match(/"[^"]*"|\S+/g)!
  expect(() => createParser().parse(words.slice(1), { from: 'user' })).not.toThrow()
})

test('the environment and the rollout are filled in exactly where the program has options for them', () => {
  const leaves = listLeaves(createParser(), ['sti'])
  expect(leaves.length).toBeGreaterThan(40)
  for (const { path, command } of leaves)
    expect(fillCommand(path, { environment: 'staging', rollout: 'vehicles' })).toBe(
      command.options.some(({ long }) => long === '--environment')
        ? `${path} --environment staging --rollout vehicles`
        : path,
    )
})

function listLeaves(command: Command, path: readonly string[]): { path: string; command: Command }[] {
  if (command.commands.length === 0) return [{ path: path.join(' '), command }]
  return command.commands.flatMap((child) => listLeaves(child, [...path, child.name()]))
}

/** The real program, with actions that do nothing. */
function createParser(): Command {
  const program = createProgram(() => () => Promise.resolve())
  silence(program)
  return program
}

function silence(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined })
  command.commands.forEach(silence)
}
