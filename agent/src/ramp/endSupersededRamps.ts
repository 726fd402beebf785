import { agentActor } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { transitionOperation } from '../operation/transition.ts'
import { parseRampParameters } from './rampParameters.ts'
import { lookUpRampPosition } from './rampPosition.ts'

/** Ends paused and queued ramps whose flag was changed. A running ramp notices that itself. */
export async function endSupersededRamps(
  sql: Sql,
  { openOperations, rollout }: RolloutFacts,
  agent: string,
): Promise<void> {
  for (const ramp of openOperations.filter(
    ({ kind, state }) => kind === 'flag' && (state === 'paused' || state === 'queued'),
  )) {
    const rampKey = { id: BigInt(ramp.id), rollout: rollout.name }
    const lookup = await lookUpRampPosition(sql, rampKey, parseRampParameters(ramp.parameters))
    if (!('superseded' in lookup)) continue
    const actor = agentActor(agent)
    await transitionOperation(
      sql,
      rampKey.id,
      'cancel',
      { actor, message: lookup.superseded },
      { ending: { error: lookup.superseded } },
    )
  }
}
