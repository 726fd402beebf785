import type { Sql } from '../../database/connect.ts'
import { isAway, messageOf } from '../../engine/errors.ts'
import type { Facts } from '../../engine/facts.ts'
import { readTarget } from '../sql/readTarget.ts'
import { noteDropped } from './dropped.ts'
import { noteEvaluations } from './evaluations.ts'
import { lookAtStatements, type KnownTexts } from './statements.ts'

/** The longest time between two looks. */
const EVERY_SECONDS = 10

/** What the application still does with flag and legacy columns while the flag is at 100 %. */
export interface ColumnWatch {
  /** Looks, unless it has just done so. Never rejects. */
  consider(facts: Facts): Promise<void>
  /** Looks now. */
  look(facts: Facts): Promise<void>
}

export function createColumnWatch(parts: {
  readonly state: Sql
  readonly agent: string
  /** The last request for the flag that this process has answered: milliseconds since 1970. */
  readonly lastEvaluation: (rollout: string) => { readonly at: number; readonly client: string | null } | null
  readonly log: (line: { level: 'warning'; message: string; error: string }) => void
}): ColumnWatch {
  const { state } = parts
  const texts = new Map<string, { of: string; known: KnownTexts }>()
  const looked = new Map<string, number>()
  const failing = new Map<string, string>()

  async function look(facts: Facts): Promise<void> {
    const { rollout, table } = facts
    const last = parts.lastEvaluation(rollout.name)
    await noteEvaluations(
      state,
      rollout.name,
      last && { secondsAgo: Math.max(0, Date.now() - last.at) / 1000, client: last.client },
    )
    if (table === null) return
    const of = await readTarget(state, rollout, table)
    const shape = JSON.stringify(of.target)
    let text = texts.get(rollout.name)
    if (text?.of !== shape) texts.set(rollout.name, (text = { of: shape, known: new Map() }))
    await lookAtStatements(state, rollout.name, of, text.known)
  }

  return {
    look,
    async consider(facts) {
      const { name, file } = facts.rollout
      try {
        await noteDropped(state, facts, parts.agent)
        if (!facts.flag.enabled || facts.flag.percentage < 100 || facts.droppedColumns.length > 0) return
        const everyMs = Math.min(EVERY_SECONDS, file.soak / 10) * 1000
        if (performance.now() - (looked.get(name) ?? -Infinity) < everyMs) return
        looked.set(name, performance.now())
        await look(facts)
        failing.delete(name)
      } catch (error) {
        if (isAway(error)) return
        const message = messageOf(error)
        if (failing.get(name) === message) return
        failing.set(name, message)
        parts.log({
          level: 'warning',
          message: `what ${name} still does with its legacy columns is not seen`,
          error: message,
        })
      }
    },
  }
}
