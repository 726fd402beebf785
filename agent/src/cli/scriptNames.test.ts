import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { runProgram } from './program.ts'
import { commandForScript, SCRIPT_COMMANDS } from './scriptNames.ts'

test.each(Object.entries(SCRIPT_COMMANDS))('%s prints its command, in every spelling', async (script, command) => {
  for (const typed of [script, `${script}.py`, `scripts/${script}.py`, `./scripts/${script}`]) {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    const output = Promise.all([text(stdout), text(stderr)])
    const terminal = { stdin: new PassThrough(), stdout, stderr, env: {}, cwd: '/', home: '/' }
    const code = await runProgram([typed, '--environment', 'staging', '--reason', "it's late"], terminal)
    stdout.end()
    stderr.end()
    expect(await output).toEqual([
      '',
      `sti: ${typed} is a script of a rollout plan. Use: sti ${command} --environment staging --reason 'it'\\''s late'\n`,
    ])
    expect(code).toBe(2)
  }
})

test('anything else is not a script', () => {
  for (const typed of ['backfill', 'constructor', 'toString.py', '']) expect(commandForScript([typed])).toBeNull()
  expect(commandForScript([])).toBeNull()
})
