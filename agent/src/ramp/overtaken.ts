import { agentActor } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { Facts } from '../engine/facts.ts'
import { transition } from '../operation/transition.ts'
import { rampParameters } from './parameters.ts'
import { lookAt } from './place.ts'

/**
 * Ends a ramp that stands or waits and whose flag somebody has changed: nobody works on it, so nobody else would. One
 * that runs sees it itself.
 */
export async function endOvertakenRamps(sql: Sql, { open, rollout }: Facts, agent: string): Promise<void> {
  for (const ramp of open.filter(({ kind, state }) => kind === 'flag' && (state === 'paused' || state === 'queued'))) {
    const of = { id: BigInt(ramp.id), rollout: rollout.name }
    const looked = await lookAt(sql, of, rampParameters(ramp.parameters))
    if (!('overtaken' in looked)) continue
    const actor = agentActor(agent)
    await transition(
      sql,
      of.id,
      'cancel',
      { actor, message: looked.overtaken },
      { ending: { error: looked.overtaken } },
    )
  }
}
