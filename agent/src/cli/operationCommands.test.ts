import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { OPERATION_ACTIONS } from '../contract/index.ts'
import { runProgram } from './program.ts'

test.each(Object.entries(OPERATION_ACTIONS))('%s can be started with its declared command', async (_, { command }) => {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const terminal = { stdin, stdout, stderr, env: {}, cwd: '/', home: '/' }
  await runProgram([...command.split(' '), '--help'], terminal)
  const help = String(stdout.read())
  expect(help).toMatch(new RegExp(`^Usage: sti ${command}\\b`))
})
