import type { MajorityPercent } from './benchTable.ts'

/** Times the work, and reads sizes before and after it. The work may answer the seconds, if it knows them better. */
export type MeasureWork = (work: () => Promise<number | void>) => Promise<void>

/** One way to fill the column of a table that is there. What stands outside of `timed` is not measured. */
export interface Method {
  readonly name: string
  readonly workers: number
  readonly shares: MajorityPercent
  /** What the type column holds afterwards in the rows that were there at the start: the right types, or nothing. */
  readonly leaves: 'types' | 'nothing'
  /** On the empty server, before the table is made. */
  before?(url: string): Promise<void>
  run(url: string, timed: MeasureWork): Promise<AgentMemory>
}

export interface AgentMemory {
  /** Peak of the agent's resident memory while it worked, where there is an agent and the system tells. */
  readonly agentRssBytes?: number
}
