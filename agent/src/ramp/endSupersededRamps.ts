import { agentActor } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { transitionOperation } from '../operation/transition.ts'
import { parseRampParameters } from './rampParameters.ts'
import { lookUpRampPosition } from './rampPosition.ts'

/**
 * Ends a ramp that stands or waits and whose flag somebody has changed: nobody works on it, so nobody else would. One
 * that runs sees it itself.
 */
export async function endSupersededRamps(
  sql: Sql,
  { openOperations: open, rollout }: RolloutFacts,
  agent: string,
): Promise<void> {
  for (const ramp of open.filter(({ kind, state }) => kind === 'flag' && (state === 'paused' || state === 'queued'))) {
    const rampKey = { id: BigInt(ramp.id), rollout: rollout.name }
    const lookup = await lookUpRampPosition(sql, rampKey, parseRampParameters(ramp.parameters))
    if (!('overtaken' in lookup)) continue
    const actor = agentActor(agent)
    await transitionOperation(
      sql,
      rampKey.id,
      'cancel',
      { actor, message: lookup.overtaken },
      { ending: { error: lookup.overtaken } },
    )
  }
}
