import { fork } from 'node:child_process'
import type { LoadReport, LoadSettings } from './load.ts'

export interface Load {
  /** Ends it once all that was due is done. */
  stop(): Promise<LoadReport>
  /** At once, when its answer is no longer wanted. */
  kill(): void
}

/** The load generator as a process of its own; answers when it runs. */
export async function startLoad(settings: LoadSettings): Promise<Load> {
  const child = fork(new URL('./load.ts', import.meta.url), [JSON.stringify(settings)], {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
  })
  const answer = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      child.once('message', resolve)
      child.once('exit', (code) => reject(new Error(`the load generator ended by itself (exit ${code})`)))
      child.once('error', reject)
    })
  await answer()
  return {
    async stop() {
      const report = answer()
      child.send('stop')
      return (await report) as LoadReport
    },
    kill: () => void child.kill(),
  }
}
