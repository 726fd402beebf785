import { TextLink } from '@grafana/ui'
import type { Readiness, ReadinessList } from '@sti-rollout/agent/contract'
import React from 'react'
import type { Agent } from '../agent/agents'
import { rollouts } from '../agent/calls'
import { readiness } from '../agent/proofCalls'
import { identify } from '../agent/useEnvironment'
import { usePolled } from '../agent/usePolled'
import { to } from '../ids'
import { AgentAnswer } from '../rollout/AgentAnswer'
import { EnvironmentBadge } from '../rollout/EnvironmentBadge'
import { percent } from '../words/numbers'
import { LISTS } from './lists'

const NAMES = Object.keys(LISTS) as ReadinessList[]
export const COLUMNS = ['Environment', 'Rollout', ...NAMES.map((list) => LISTS[list])]

/** How ready the rollouts of one agent are, as rows; while it is away, since when. */
export function AgentReadiness({ agent }: { agent: Agent }) {
  const asked = usePolled(agent.uid, async (signal) => {
    const [status, list] = await Promise.all([identify(agent, signal), rollouts(agent, signal)])
    return { status, list: await Promise.all(list.map(({ rollout }) => readiness(agent, rollout, signal))) }
  })
  const { data } = asked
  return (
    <tbody>
      <AgentAnswer agent={agent} asked={asked} columns={COLUMNS.length} />
      {data?.list.map((each) => (
        <Row key={each.rollout} readiness={each} production={data.status.production} />
      ))}
    </tbody>
  )
}

function Row({
  readiness: { environment, rollout, ratios },
  production,
}: {
  readiness: Readiness
  production: boolean
}) {
  return (
    <tr>
      <td data-column={COLUMNS[0]}>
        <EnvironmentBadge name={environment} production={production} />
      </td>
      <td data-column={COLUMNS[1]}>
        <TextLink href={to.readiness(environment, rollout)} inline={false}>
          {rollout}
        </TextLink>
      </td>
      {NAMES.map((list) => (
        <td key={list} data-column={LISTS[list]}>
          {percent(ratios[list])}
        </td>
      ))}
    </tr>
  )
}
