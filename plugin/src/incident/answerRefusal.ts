import type { AgentStatus } from '@sti-rollout/agent/contract'

/** Why this person may not answer an incident, before the agent itself says so; empty when nothing speaks against it. */
export function answerRefusalReasons({ you }: Pick<AgentStatus, 'you'>): readonly string[] {
  if (!you.mayAct) return [you.why ?? 'You may only read.']
  return you.level === 'viewer' ? ['This requires the level editor; you have the level viewer.'] : []
}
