import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { KnownRow } from './programs.ts'

/** What a program has done since its start. */
export interface ProgramStatus {
  /** Requests by the mapped model that they used. */
  readonly operations: Readonly<Partial<Record<'legacy' | 'typed', number>>>
  /** Failed requests by SQLSTATE and message. */
  readonly errors: Readonly<Record<string, number>>
  /** Reads that did not return what the program had written. */
  readonly wrong: readonly string[]
}

/** The commands that every program answers. */
export interface ProgramAnswers {
  start: { versions: Record<string, string> }
  status: ProgramStatus
  /** Once no request runs: every row, as the program knows it. */
  pause: ProgramStatus & { rows: KnownRow[] }
  resume: object
  /** Rows that the mapped classes do not return as the program knows them. */
  check: { wrong: string[] }
  evaluate: { value: boolean; reason: string; errorCode: string | null; milliseconds: number }
}

/** A running program. It answers commands one after the other. */
export interface ProgramProcess {
  send<C extends keyof ProgramAnswers>(command: C, parameters?: object): Promise<ProgramAnswers[C]>
  stop(): Promise<void>
}

export function startProgram([command, ...args]: readonly [string, ...string[]]): ProgramProcess {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const waiting: { resolve(answer: unknown): void; reject(error: Error): void }[] = []
  let errorOutput = ''
  let ended: Error | null = null
  const end = (reason: string): void => {
    ended ??= new Error(`${args.join(' ').slice(-200)} ${reason}: ${errorOutput}`)
    for (const { reject } of waiting.splice(0)) reject(ended)
  }
  child.stderr.setEncoding('utf8').on('data', (part: string) => (errorOutput = (errorOutput + part).slice(-4_000)))
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)))
  child.stdin.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      end(error.message)
      resolve()
    })
    child.once('close', (code) => {
      end(`ended with code ${code}`)
      resolve()
    })
  })
  return {
    send: <C extends keyof ProgramAnswers>(name: C, parameters: object = {}) =>
      new Promise<ProgramAnswers[C]>((resolve, reject) => {
        if (ended !== null) return reject(ended)
        waiting.push({ resolve: (answer) => resolve(answer as ProgramAnswers[C]), reject })
        child.stdin.write(`${JSON.stringify({ command: name, ...parameters })}\n`)
      }),
    async stop() {
      child.stdin.end()
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await closed
      clearTimeout(timer)
    },
  }
}
