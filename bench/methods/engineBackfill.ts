import type { AgentMemory, Method } from '../method.ts'
import type { MajorityPercent } from '../benchTable.ts'
import { resetPeakRss, readPeakRss, operationSeconds, withAgentProcess } from './agentRun.ts'

export interface EngineOptions {
  readonly name: string
  readonly workers: number
  readonly niceRatio?: number
  readonly batchSeconds?: number | null
  readonly shares?: MajorityPercent
  readonly prefill?: boolean
}

/** The backfill of the agent. */
export function engineBackfill({
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
      withAgentProcess(url, prefill, async (agent): Promise<AgentMemory> => {
        await agent.run('expand')
        await resetPeakRss(agent.pid)
        await timed(async () => operationSeconds(await agent.run('backfill', { workers, niceRatio, ...pace })))
        return await readPeakRss(agent.pid)
      }),
  }
}
