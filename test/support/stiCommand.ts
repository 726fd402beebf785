import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { runProgram } from '../../agent/src/cli/program.ts'
import { TOKENS } from './agent.ts'

export interface CommandResult {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the sti command without a TTY, in a temporary folder, against the agent at a URL (null: no agent). */
export type RunSti = (url: string | null, ...argv: string[]) => Promise<CommandResult>

export async function withSti<T>(use: (sti: RunSti, folder: string) => Promise<T>, token = TOKENS.ann): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-command-'))
  const sti: RunSti = async (url, ...argv) => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    const texts = Promise.all([text(stdout), text(stderr)])
    const env = url === null ? {} : { STI_URL: url, STI_TOKEN: token }
    const code = await runProgram(argv, { stdin: new PassThrough(), stdout, stderr, env, cwd: folder, home: folder })
    stdout.end()
    stderr.end()
    const [out, err] = await texts
    return { code, out, err }
  }
  try {
    return await use(sti, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
