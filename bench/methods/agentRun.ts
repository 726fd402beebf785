import { readFile, writeFile } from 'node:fs/promises'
import type { Operation } from '../../agent/src/contract/index.ts'
import { startAgentProcess, type AgentProcess } from '../../test/support/agentProcess.ts'
import { VEHICLES_FILE } from '../../test/support/vehicles.ts'

/** Starts the agent as a separate process, as users run it: HTTP, trigger, checkpoints, throttle, final sweep. */
export async function withAgentProcess<T>(
  url: string,
  prefill: boolean,
  use: (agent: AgentProcess) => Promise<T>,
): Promise<T> {
  const agent = await startAgentProcess(url, `${VEHICLES_FILE}${prefill ? 'prefill: majority\n' : ''}`)
  try {
    return await use(agent)
  } finally {
    await agent.stop()
  }
}

/** Time from request to end by the database clock, since polling sees the end later. */
export function operationSeconds({ createdAt, endedAt }: Operation): number {
  return (Date.parse(endedAt!) - Date.parse(createdAt)) / 1000
}

/** Resets the peak memory (Linux only). */
export async function resetPeakRss(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5').catch(() => undefined)
}

export async function readPeakRss(pid: number): Promise<{ agentRssBytes?: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]
  return kilobytes === undefined ? {} : { agentRssBytes: Number(kilobytes) * 1024 }
}
