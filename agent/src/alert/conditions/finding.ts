import type { OwnReading } from '../../contract/index.ts'
import type { RuleName } from '../rules.ts'

/** What the agent itself reads of one rule, about one change. */
export interface Finding extends OwnReading {
  readonly rule: RuleName
  /** What it is about, such as flag-12: a new one for each change of the flag and each operation. */
  readonly change: string
  /** How long it has to be unhealthy at every look before it counts, in milliseconds. */
  readonly persistsMs: number
}

type Of = Pick<Finding, 'rule' | 'change'>

export const healthy = (of: Of, sentence: string): Finding => ({ ...of, state: 'healthy', sentence, persistsMs: 0 })
export const unknown = (of: Of, sentence: string): Finding => ({ ...of, state: 'unknown', sentence, persistsMs: 0 })
export const unhealthy = (of: Of, sentence: string, persistsMs = 0): Finding => ({
  ...of,
  state: 'unhealthy',
  sentence,
  persistsMs,
})
