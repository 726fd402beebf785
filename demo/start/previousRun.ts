import { setTimeout as sleep } from 'node:timers/promises'
import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

interface RunRecord {
  readonly pid: number
  readonly folder: string
}

const recordPath = (folder: string): string => join(folder, 'run.json')

export async function writeRunRecord(folder: string, run: RunRecord): Promise<void> {
  await writeFile(recordPath(folder), JSON.stringify(run))
}

export async function removeRunRecord(folder: string): Promise<void> {
  await rm(recordPath(folder), { force: true })
}

/**
 * Cleans up after an earlier run. Throws if that run is still active. A run that was killed can have left PostgreSQL,
 * Prometheus and Grafana running, which are stopped, and its folder, which is removed.
 */
export async function cleanUpPreviousRun(folder: string, showMessage: (message: string) => void): Promise<void> {
  const record = await readRunRecord(folder)
  if (!record) return
  if (record.pid !== process.pid && isAlive(record.pid) && (await commandLineIncludes(record.pid, 'demo/start/main'))) {
    throw new Error(
      `Another demo is running in this folder (process ${record.pid}). Stop it, or start this one with --folder .demo2.`,
    )
  }
  for (const file of ['Grafana.pid', 'Prometheus.pid', 'postgres/postmaster.pid']) {
    const pid = await readPid(join(record.folder, file))
    if (pid !== null && isAlive(pid) && (await commandLineIncludes(pid, record.folder)))
      await stopLeftover(pid, showMessage)
  }
  await rm(record.folder, { recursive: true, force: true })
  await removeRunRecord(folder)
}

export async function readRunRecord(folder: string): Promise<RunRecord | null> {
  const text = await readFile(recordPath(folder), 'utf8').catch(() => null)
  if (text === null) return null
  try {
    const record = JSON.parse(text) as RunRecord
    return Number.isInteger(record.pid) && /sti-demo-\w+$/.test(record.folder) ? record : null
  } catch {
    return null
  }
}

/** SIGINT is the fast shutdown of PostgreSQL, and Prometheus and Grafana exit on it too. */
async function stopLeftover(pid: number, showMessage: (message: string) => void): Promise<void> {
  showMessage(`Stopping process ${pid} of an earlier run.`)
  process.kill(pid, 'SIGINT')
  for (let tries = 0; isAlive(pid) && tries < 100; tries++) await sleep(100)
  if (isAlive(pid)) throw new Error(`Process ${pid} of an earlier run did not stop within 10 s. Stop it yourself.`)
}

async function readPid(path: string): Promise<number | null> {
  const pid = Number((await readFile(path, 'utf8').catch(() => '')).split('\n')[0])
  return Number.isInteger(pid) && pid > 1 ? pid : null
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Process ids are reused, so the command line must match too. */
async function commandLineIncludes(pid: number, part: string): Promise<boolean> {
  const proc = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null)
  if (proc !== null) return proc.includes(part)
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'args=', '-p', String(pid)], (error, output) => resolve(!error && output.includes(part)))
  })
}
