import { Card, LinkButton, Spinner } from '@grafana/ui'
import React from 'react'
import { health } from './health'
import { href } from '../ids'
import { EnvironmentBadge } from '../rollout/EnvironmentBadge'
import type { Agent } from '../agent/agents'
import { Hops } from './Hops'
import { ownLevel } from '../agent/level'
import { QUIET_MS, usePolled } from '../agent/usePolled'

/** One agent: the way to it and beyond, hop by hop. */
export function AgentHealth({ agent }: { agent: Agent }) {
  const { data } = usePolled(
    agent.uid,
    (signal) => health(agent, signal),
    () => QUIET_MS,
  )
  return (
    <Card noMargin>
      <Card.Heading>{agent.name}</Card.Heading>
      {data?.status && (
        <Card.Meta>
          <EnvironmentBadge name={data.status.environment} production={data.status.production} />
        </Card.Meta>
      )}
      <Card.Description>{data ? <Hops hops={data.hops} /> : <Spinner inline />}</Card.Description>
      {ownLevel() === 'admin' && (
        <Card.Actions>
          <LinkButton size="sm" variant="secondary" href={href(`/connections/datasources/edit/${agent.uid}`)}>
            Settings
          </LinkButton>
        </Card.Actions>
      )}
    </Card>
  )
}
