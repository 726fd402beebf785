import { execFile, spawn } from 'node:child_process'
import { mkdtemp, open, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { agentClient, type TestAgentClient } from '../support/agent.ts'
import { agentEnvironment } from '../support/agentProcess.ts'
import { freePort } from '../support/server.ts'
import { UnsupportedMachineError } from './fault.ts'
import { waitFor } from '../support/waitFor.ts'

const DISK_MEGABYTES = 32
const REPOSITORY = new URL('../../', import.meta.url).pathname

export interface SmallDiskAgent extends TestAgentClient {
  /** Fills its root file system to this ratio. */
  fill(part: number): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts a real agent with a 32 MB root file system in its own mount namespace, which ends with the process. Everything
 * else is bind-mounted from this machine.
 * @throws UnsupportedMachineError if mounting is not allowed
 */
export async function startSmallDiskAgent(databaseUrl: string, file: string): Promise<SmallDiskAgent> {
  await promisify(execFile)('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).catch(() => {
    throw new UnsupportedMachineError('mounting a small file system is not allowed on this machine')
  })
  const folder = await mkdtemp(join(tmpdir(), 'sti-small-'))
  await writeFile(join(folder, 'rollout.yaml'), file)
  const port = await freePort()
  const script = `set -e
    root=$(mktemp -d)
    mount -t tmpfs -o size=${DISK_MEGABYTES}m tmpfs $root
    for each in /*; do
      if [ -L $each ]; then cp -P $each $root; elif [ -d $each ]; then mkdir $root$each; mount --rbind $each $root$each; fi
    done
    exec chroot $root sh -c 'cd "${REPOSITORY}" && exec "${process.execPath}" --import tsx agent/src/main.ts'`
  const child = spawn('unshare', ['-m', 'sh', '-c', script], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env['PATH'], ...agentEnvironment(databaseUrl, folder, port, 'small') },
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = `http://127.0.0.1:${port}`
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await gone
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await waitFor(
      'the agent on a small disk listens',
      async () => {
        if (child.exitCode !== null) throw new Error(`the agent exited with code ${child.exitCode}`)
        return await fetch(`${url}/livez`).then(
          () => true,
          () => false,
        )
      },
      { seconds: 60 },
    )
  } catch (error) {
    await stop()
    throw error
  }
  const root = `/proc/${child.pid}/root`
  return {
    ...agentClient(url, 'vehicles'),
    stop,
    async fill(part) {
      const filler = await open(join(root, 'filler'), 'w')
      try {
        const piece = Buffer.alloc(256 * 1024)
        for (;;) {
          const { blocks, bavail } = await statfs(root)
          if (1 - bavail / blocks >= part) return
          await filler.write(piece)
        }
      } finally {
        await filler.close()
      }
    },
  }
}
