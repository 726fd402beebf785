import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
let folder = ''
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sti-start-'))))
afterAll(() => rm(folder, { recursive: true, force: true }))

interface DemoRun {
  readonly child: ChildProcess
  /** Everything it printed so far. */
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
  await waitUntil(
    () => text.includes('stays up') || child.exitCode !== null,
    () => text,
  )
  const record = await readFile(join(folder, 'run.json'), 'utf8').catch(() => '{"folder":""}')
  return { child, text: () => text, runFolder: (JSON.parse(record) as { folder: string }).folder }
}

async function waitUntil(what: () => boolean, why: () => string): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    if (tries === 1000) throw new Error(`waited 100 s in vain: ${why()}`)
    await new Promise((done) => setTimeout(done, 100))
  }
}

/** Addresses of the run; all of them must be dead in the end. */
const addresses = (text: string): string[] => text.match(/http:\/\/127\.0\.0\.1:\d+/g) ?? []

async function expectNothingLeft({ runFolder, text }: DemoRun): Promise<void> {
  await waitUntil(
    () => !existsSync(runFolder),
    () => `${runFolder} is still there`,
  )
  for (const address of addresses(text())) {
    let answers = true
    await waitUntil(
      () => {
        void fetch(address).catch(() => (answers = false))
        return !answers
      },
      () => `${address} still answers`,
    )
  }
}

function occupy(port: number): Promise<Server | null> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', () => done(null))
    server.listen(port, '127.0.0.1', () => done(server))
  })
}

test('SIGTERM leaves nothing; a taken port is named and avoided', async () => {
  const taken = await occupy(8090)
  try {
    const run = await startDemo('--idle')
    expect(run.text()).toContain('Port 8090 is taken: the agent of staging uses 80')
    expect(addresses(run.text()).length).toBeGreaterThan(3)
    const second = await startDemo('--idle')
    expect(second.child.exitCode).toBe(1)
    expect(second.text()).toContain(`Another demo runs here (process ${run.child.pid})`)
    run.child.kill('SIGTERM')
    const [code] = (await once(run.child, 'exit')) as [number]
    expect(code).toBe(0)
    await expectNothingLeft(run)
    for (const file of ['run.json', 'sti.yaml']) expect(existsSync(join(folder, file)), file).toBe(false)
  } finally {
    taken?.close()
  }
}, 240_000)

test('SIGKILL leaves no process either', async () => {
  const run = await startDemo('--idle')
  run.child.kill('SIGKILL')
  await expectNothingLeft(run)
}, 240_000)
