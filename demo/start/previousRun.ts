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
 * What an earlier run left behind: one that still runs is an error; one that was killed with all its processes may
 * have left PostgreSQL, Prometheus and Grafana running, which are stopped, and its folder, which is removed.
 */
export async function cleanUpPreviousRun(folder: string, tell: (message: string) => void): Promise<void> {
  const record = await readRunRecord(folder)
  if (!record) return
  if (record.pid !== process.pid && isAlive(record.pid) && (await commandLineIncludes(record.pid, 'demo/start/main'))) {
    throw new Error(`Another demo runs here (process ${record.pid}): end it, or start this one with --folder .demo2`)
  }
  for (const file of ['Grafana.pid', 'Prometheus.pid', 'postgres/postmaster.pid']) {
    const pid = await readPid(join(record.folder, file))
    if (pid !== null && isAlive(pid) && (await commandLineIncludes(pid, record.folder))) await stopLeftover(pid, tell)
  }
  await rm(record.folder, { recursive: true, force: true })
  await removeRunRecord(folder)
}

async function readRunRecord(folder: string): Promise<RunRecord | null> {
  const text = await readFile(recordPath(folder), 'utf8').catch(() => null)
  if (text === null) return null
  try {
    const record = JSON.parse(text) as RunRecord
    return Number.isInteger(record.pid) && /sti-demo-\w+$/.test(record.folder) ? record : null
  } catch {
    return null
  }
}

/** SIGINT is PostgreSQL's fast shutdown; the others end by it too. */
async function stopLeftover(pid: number, tell: (message: string) => void): Promise<void> {
  tell(`Process ${pid} of an earlier run still runs: stopping it.`)
  process.kill(pid, 'SIGINT')
  for (let tries = 0; isAlive(pid) && tries < 100; tries++) await sleep(100)
  if (isAlive(pid)) throw new Error(`Process ${pid} of an earlier run does not stop: end it yourself.`)
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

/** Process ids are used again: its command line must name what we look for. */
async function commandLineIncludes(pid: number, part: string): Promise<boolean> {
  const proc = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null)
  if (proc !== null) return proc.includes(part)
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'args=', '-p', String(pid)], (error, output) => resolve(!error && output.includes(part)))
  })
}
