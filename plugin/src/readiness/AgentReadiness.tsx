import { TextLink } from '@grafana/ui'
import type { Readiness, ReadinessList } from '@sti-rollout/agent/contract'
import { formatPercent } from '@sti-rollout/agent/format'
import React from 'react'
import type { AgentDataSource } from '../agent/agentDataSources'
import { listRollouts } from '../agent/rolloutCalls'
import { getReadiness } from '../agent/readinessCalls'
import { environmentPlace, identifyAgent } from '../agent/useEnvironment'
import { useSlowPolling } from '../agent/usePolling'
import { routes } from '../routes'
import { AgentStatusRow } from '../rollout/AgentStatusRow'
import { EnvironmentBadge } from '../rollout/EnvironmentBadge'
import { LIST_TITLES } from './readinessLists'

const LIST_NAMES = Object.keys(LIST_TITLES) as ReadinessList[]
export const COLUMNS = ['Environment', 'Rollout', ...LIST_NAMES.map((list) => LIST_TITLES[list])]

/** The readiness of the rollouts of one agent as table rows, and since when the agent does not respond. */
export function AgentReadiness({ agent }: { agent: AgentDataSource }) {
  const readinessPoll = useSlowPolling(agent.uid, async (signal) => {
    const [status, list] = await Promise.all([identifyAgent(agent, signal), listRollouts(agent, signal)])
    return { status, list: await Promise.all(list.map(({ rollout }) => getReadiness(agent, rollout, signal))) }
  })
  const { data } = readinessPoll
  return (
    <tbody>
      <AgentStatusRow agent={agent} poll={readinessPoll} columns={COLUMNS.length} />
      {data?.list.map((readiness) => (
        <ReadinessRow key={readiness.rollout} agent={agent} readiness={readiness} production={data.status.production} />
      ))}
    </tbody>
  )
}

function ReadinessRow({
  agent,
  readiness: { environment, rollout, ratios },
  production,
}: {
  agent: AgentDataSource
  readiness: Readiness
  production: boolean
}) {
  return (
    <tr>
      <td data-column={COLUMNS[0]}>
        <EnvironmentBadge name={environment} production={production} />
      </td>
      <td data-column={COLUMNS[1]}>
        <TextLink href={routes.readiness(environmentPlace({ name: environment, agent }), rollout)} inline={false}>
          {rollout}
        </TextLink>
      </td>
      {LIST_NAMES.map((list) => (
        <td key={list} data-column={LIST_TITLES[list]}>
          {formatPercent(ratios[list])}
        </td>
      ))}
    </tr>
  )
}
