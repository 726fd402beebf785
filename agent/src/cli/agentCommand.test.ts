import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { TOKENS } from '../../../test/support/agent.ts'
import { VEHICLES_FILE } from '../../../test/support/vehicles.ts'
import { runProgram } from './program.ts'

test('a port in use is named, and is no internal error', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sti-agent-command-'))
  await writeFile(join(folder, 'vehicles.yaml'), VEHICLES_FILE)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as AddressInfo
    const env = {
      STI_ENVIRONMENT: 'staging',
      STI_DATABASE_URL: 'postgres://app@127.0.0.1:1/app',
      STI_ROLLOUTS: folder,
      STI_SPOOL_FOLDER: join(folder, 'spool'),
      STI_PORT: String(port),
      STI_TOKEN_VIEWER: TOKENS.viewer,
      STI_TOKEN_EDITOR: TOKENS.editor,
      STI_TOKEN_ADMIN: TOKENS.admin,
      STI_TOKEN_FLAG: TOKENS.flag,
    }
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
    const code = await runProgram(['agent'], { stdin, stdout, stderr, env, cwd: folder, home: folder })
    stderr.end()
    expect([code, await text(stderr)]).toEqual([
      1,
      `sti: Cannot listen on 127.0.0.1:${port} (EADDRINUSE). Set STI_HOST and STI_PORT to an address that is free.\n`,
    ])
  } finally {
    server.close()
    await rm(folder, { recursive: true, force: true })
  }
})
