import { fork } from 'node:child_process'
import type { LoadReport, LoadSettings } from './loadGenerator.ts'

export interface RunningLoad {
  /** Stops after all due requests are done. */
  stop(): Promise<LoadReport>
  /** Stops immediately, without a result. */
  kill(): void
}

/** Starts the load generator as a separate process. Resolves once it runs. */
export async function startLoad(settings: LoadSettings): Promise<RunningLoad> {
  const child = fork(new URL('./loadGenerator.ts', import.meta.url), [JSON.stringify(settings)], {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
  })
  let exited = false
  const nextMessage = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the load generator exited early: see its output above'))
      if (exited) ended()
      child.once('message', resolve)
      child.once('exit', ended)
    })
  child.once('exit', () => {
    exited = true
  })
  await nextMessage()
  return {
    async stop() {
      const report = nextMessage()
      if (child.connected) child.send('stop')
      return (await report) as LoadReport
    },
    kill: () => void child.kill(),
  }
}
