import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
/** Few enough for quick operations, enough for a backfill that rests to be seen while it is running. */
const VEHICLE_COUNT = 100_000
/** The browser and the demo share the machine, and no baseline is taken before the flag is turned on. */
const LAYERS = ['--requires', 'integrity,business']
const READY_TIMEOUT_MS = 180_000

export interface RunningDemo {
  readonly grafanaUrl: string
  readonly passwordFile: string
  readonly databaseUrlFile: string
  stop(): Promise<void>
}

/** Starts the demo without a rollout in progress, and waits until it is ready. */
export async function startDemo(folder: string): Promise<RunningDemo> {
  const child = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      'demo/start/main.ts',
      '--idle',
      ...['--rows', String(VEHICLE_COUNT)],
      ...LAYERS,
      '--folder',
      folder,
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const ended = new Promise<void>((done) => child.once('close', () => done()))
  const stop = async (): Promise<void> => {
    child.kill('SIGINT')
    await ended
  }
  let output = ''
  const ready = new Promise<string>((done, fail) => {
    const timer = setTimeout(
      () => fail(new Error(`The demo was not ready within ${READY_TIMEOUT_MS / 1000} s:\n${output}`)),
      READY_TIMEOUT_MS,
    )
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (!output.includes('Everything keeps running')) return
      clearTimeout(timer)
      const [, url] = output.match(/^ +Grafana +(http\S+) +user/m) ?? []
      if (url) done(url)
      else fail(new Error(`The demo did not print the URL of Grafana:\n${output}`))
    })
    void ended.then(() => fail(new Error(`The demo exited:\n${output}`)))
  })
  try {
    return {
      grafanaUrl: await ready,
      passwordFile: join(folder, 'grafana-password'),
      databaseUrlFile: join(folder, 'database-url'),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
