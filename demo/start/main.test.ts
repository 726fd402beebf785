import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { waitFor } from '../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../test/support/realTime.ts'

const root = resolve(import.meta.dirname, '../..')
let folder = ''
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sti-start-'))))
afterAll(() => rm(folder, { recursive: true, force: true }))

interface DemoRun {
  readonly child: ChildProcess
  /** The output so far. */
  text(): string
  readonly runFolder: string
}

async function startDemo(...args: string[]): Promise<DemoRun> {
  let text = ''
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(root, 'demo/start/main.ts'), '--bare', '--rows', '1000', '--folder', folder, ...args],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (text += data.toString()))
  await waitFor(
    'the demo is up or has ended',
    () => text.includes('Everything keeps running') || child.exitCode !== null,
    {
      seconds: 100,
    },
  ).catch((error: Error) => Promise.reject(new Error(`${error.message}\n${text}`)))
  const record = await readFile(join(folder, 'run.json'), 'utf8').catch(() => '{"folder":""}')
  return { child, text: () => text, runFolder: (JSON.parse(record) as { folder: string }).folder }
}

/** Addresses of the run. None may respond after the end. */
const addresses = (text: string): string[] => text.match(/http:\/\/127\.0\.0\.1:\d+/g) ?? []

async function expectNothingLeft({ runFolder, text }: DemoRun): Promise<void> {
  await waitFor(`${runFolder} is removed`, () => !existsSync(runFolder), { seconds: 100 })
  for (const address of addresses(text())) {
    const isDead = (): Promise<boolean> =>
      fetch(address).then(
        () => false,
        () => true,
      )
    await waitFor(`${address} does not answer`, isDead, { seconds: 100 })
  }
}

function occupy(port: number): Promise<Server | null> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', () => done(null))
    server.listen(port, '127.0.0.1', () => done(server))
  })
}

test('SIGTERM leaves nothing behind; a port in use is named and avoided', async () => {
  const taken = await occupy(8090)
  try {
    const run = await startDemo('--idle')
    expect(run.text()).toContain('Port 8090 is in use. The agent of staging uses port 80')
    expect(addresses(run.text()).length).toBeGreaterThan(3)
    const second = await startDemo('--idle')
    expect(second.child.exitCode).toBe(1)
    expect(second.text()).toContain(`Another demo is running in this folder (process ${run.child.pid})`)
    run.child.kill('SIGTERM')
    const [code] = (await once(run.child, 'exit')) as [number]
    expect(code).toBe(0)
    await expectNothingLeft(run)
    for (const file of ['run.json', 'sti.yaml']) expect(existsSync(join(folder, file)), file).toBe(false)
  } finally {
    taken?.close()
  }
})

test('SIGKILL leaves no process behind', async () => {
  const run = await startDemo('--idle')
  run.child.kill('SIGKILL')
  await expectNothingLeft(run)
})
