import type { MajorityPercent } from './benchTable.ts'

/** Times the work and reads sizes before and after it. The work may return a more exact duration in seconds. */
export type MeasureWork = (work: () => Promise<number | void>) => Promise<void>

/** A method that fills the column of an existing table. Only work inside `timed` is measured. */
export interface Method {
  readonly name: string
  readonly workers: number
  readonly shares: MajorityPercent
  /** Content of the type column after the method, for rows that existed before it: derived types, or NULL. */
  readonly leaves: 'types' | 'nothing'
  /** Runs on the empty server, before the table is created. */
  before?(url: string): Promise<void>
  run(url: string, timed: MeasureWork): Promise<AgentMemory>
}

export interface AgentMemory {
  /** Peak resident memory of the agent during the work; undefined without an agent or off Linux. */
  readonly agentRssBytes?: number
}
