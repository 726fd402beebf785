import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { ReportFormat } from '../contract/index.ts'
import type { SigningKey } from '../signature/keys.ts'
import type { ReportInput } from './gatherReport.ts'

/** One core is reserved for the flag and the backfill. */
const MAX_WORKERS = Math.max(1, Math.min(2, availableParallelism() - 1))

export interface ReportWorkerData {
  readonly databaseUrl: string
  readonly agent: string
  readonly signingKey: SigningKey | null
}

export interface ReportWorkerRequest {
  readonly input: ReportInput
  readonly format: ReportFormat
}

export type ReportWorkerResponse =
  | { readonly body: Uint8Array<ArrayBuffer> }
  | { readonly error: { readonly message: string; readonly code: string | null } }

/**
 * Builds reports outside of the event loop that answers evaluations of the flag. Reading, hashing and rendering a
 * report takes long enough to delay them; however many are requested, at most as many as there are workers are in
 * work, and the others wait for their turn.
 */
export interface ReportWorkers {
  /**
   * @param readInput reads what the report needs of this process, once it is its turn
   * @param signal ends the wait of a request whose client has left
   */
  build(
    readInput: () => Promise<ReportInput>,
    format: ReportFormat,
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>>
  stop(): Promise<void>
}

class ReportAbandoned extends Error {
  readonly code = 'conflict'
}

/** Starts no worker before the first report is requested. */
export function createReportWorkers({ databaseUrl, agent, signingKey }: ReportWorkerData): ReportWorkers {
  const workerData: ReportWorkerData = { databaseUrl, agent, signingKey }
  const idle: (Worker | null)[] = Array<null>(MAX_WORKERS).fill(null)
  const waiting: ((worker: Worker | null) => void)[] = []
  const started = new Set<Worker>()

  const take = async (): Promise<Worker | null> => {
    const slot = idle.pop()
    return slot !== undefined ? slot : await new Promise((resolve) => waiting.push(resolve))
  }
  const giveBack = (worker: Worker | null): void => {
    const next = waiting.shift()
    if (next === undefined) idle.push(worker)
    else next(worker)
  }
  const start = (): Worker => {
    // Without the options of this process: what it preloads is not for a worker, which loads what it needs itself.
    const worker = new Worker(new URL('../../bin/report-worker.js', import.meta.url), { workerData, execArgv: [] })
    worker.unref()
    started.add(worker)
    worker.once('exit', () => started.delete(worker))
    return worker
  }

  return {
    async build(readInput, format, signal) {
      let worker = await take()
      try {
        if (signal.aborted) throw new ReportAbandoned('The client disconnected before the report was built.')
        const input = await readInput()
        if (worker === null || !started.has(worker)) worker = start()
        return await requestReport(worker, { input, format })
      } finally {
        giveBack(worker)
      }
    },
    async stop() {
      await Promise.all([...started].map((worker) => worker.terminate()))
    },
  }
}

/** @throws the error of the worker, with its code, or what ended the worker */
function requestReport(worker: Worker, request: ReportWorkerRequest): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void): void => {
      worker.off('message', onMessage)
      worker.off('error', onError)
      worker.off('exit', onExit)
      action()
    }
    const onMessage = (response: ReportWorkerResponse): void =>
      settle(() => {
        if ('body' in response) resolve(response.body)
        else reject(Object.assign(new Error(response.error.message), { code: response.error.code ?? undefined }))
      })
    const onError = (error: Error): void => settle(() => reject(error))
    const onExit = (): void => settle(() => reject(new Error('The worker that was building the report exited.')))
    worker.on('message', onMessage)
    worker.on('error', onError)
    worker.on('exit', onExit)
    worker.postMessage(request)
  })
}
