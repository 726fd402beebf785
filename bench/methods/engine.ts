import type { Extras, Method } from '../method.ts'
import type { Shares } from '../table.ts'
import { forgetPeak, peakRss, secondsOf, withAgentProcess } from './agent.ts'

export interface EngineOptions {
  readonly name: string
  readonly workers: number
  readonly niceRatio?: number
  readonly batchSeconds?: number | null
  readonly shares?: Shares
  readonly prefill?: boolean
}

/** The backfill of the product. */
export function engine({
  name,
  workers,
  niceRatio = 0,
  batchSeconds = null,
  shares = 50,
  prefill = false,
}: EngineOptions): Method {
  const pace = batchSeconds === null ? {} : { maximumBatchSeconds: batchSeconds }
  return {
    name,
    workers,
    shares,
    leaves: 'types',
    run: (url, timed) =>
      withAgentProcess(url, prefill, async (agent): Promise<Extras> => {
        await agent.run('expand')
        await forgetPeak(agent.pid)
        await timed(async () => secondsOf(await agent.run('backfill', { workers, niceRatio, ...pace })))
        return await peakRss(agent.pid)
      }),
  }
}
