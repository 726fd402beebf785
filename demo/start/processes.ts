import { fork, type ChildProcess } from 'node:child_process'
import { openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SupervisedCommand, SupervisorMessage, SupervisorRequest } from './childSupervisor.ts'

export interface DemoProcesses {
  /** Runs a TypeScript file of this repository as a child process. */
  run(name: string, file: string, env: Record<string, string>): ChildProcess
  postgres(server: { port: number; password: string; flags: readonly string[] }): Promise<void>
  command(command: Omit<SupervisedCommand, 'log'>): Promise<void>
  /** Rejects if a process exits before `stop`. */
  readonly unexpectedExit: Promise<never>
  logOf(name: string): string
  /** Stops every process and waits until all have exited. */
  stop(): Promise<void>
}

/** The processes of one run. All of them exit with this process, also after SIGKILL. */
export function startProcesses(root: string, folder: string, logs: string): DemoProcesses {
  const children = new Map<string, ChildProcess>()
  let stopping = false
  let report: (error: Error) => void = () => undefined
  const unexpectedExit = new Promise<never>((_, reject) => (report = reject))
  unexpectedExit.catch(() => undefined)
  const logOf = (name: string): string => join(logs, `${name.replaceAll(' ', '-').toLowerCase()}.log`)

  function start(name: string, file: string, args: string[], env: NodeJS.ProcessEnv, preload: string[]): ChildProcess {
    const log = openSync(logOf(name), 'w')
    // A separate process group: Ctrl-C reaches only this process, which stops the others in order.
    const child = fork(join(root, file), args, {
      cwd: root,
      env,
      execArgv: ['--import', 'tsx', ...preload],
      stdio: ['ignore', log, log, 'ipc'],
      detached: true,
    })
    child.once('exit', (code, signal) => {
      children.delete(name)
      if (!stopping) void reportExit(name, `${code ?? signal}`)
    })
    return child
  }

  async function reportExit(name: string, exit: string): Promise<void> {
    const tail = (await readFile(logOf(name), 'utf8').catch(() => '')).trim().split('\n').slice(-5).join('\n    ')
    report(new Error(`${name} exited unexpectedly (${exit}). Last lines of ${logOf(name)}:\n    ${tail}`))
  }

  const supervisor = start('supervisor', 'demo/start/childSupervisor.ts', [folder], process.env, [])
  supervisor.on('message', (message: SupervisorMessage) => {
    if ('exited' in message) void reportExit(message.exited, `${message.code}`)
  })
  let queue: Promise<unknown> = Promise.resolve()
  const sendRequest = (request: SupervisorRequest): Promise<void> => {
    const answered = queue.then(
      () =>
        new Promise<void>((resolve, reject) => {
          const listen = (message: SupervisorMessage): void => {
            if ('exited' in message) return
            supervisor.off('message', listen)
            if ('failed' in message) reject(new Error(message.failed))
            else resolve()
          }
          supervisor.on('message', listen)
          supervisor.send(request)
        }),
    )
    queue = answered.catch(() => undefined)
    return answered
  }

  return {
    run(name, file, env) {
      const preload = ['--import', join(root, 'demo/start/stopWithParent.ts')]
      const child = start(name, file, [], { ...process.env, ...env }, preload)
      children.set(name, child)
      return child
    },
    postgres: (server) => sendRequest({ postgres: server }),
    command: (command) => sendRequest({ command: { ...command, log: logOf(command.name) } }),
    unexpectedExit,
    logOf,
    async stop() {
      stopping = true
      await Promise.all([...children.values()].map((child) => endProcess(child, () => void child.kill('SIGTERM'))))
      await endProcess(supervisor, () => supervisor.disconnect())
    },
  }
}

function endProcess(child: ChildProcess, requestEnd: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    const killTimer = setTimeout(() => child.kill('SIGKILL'), 20_000)
    child.once('exit', () => {
      clearTimeout(killTimer)
      resolve()
    })
    requestEnd()
  })
}
