import type { EmbeddedScene } from '@grafana/scenes'
import React, { useMemo } from 'react'
import { getAgentDataSource, type AgentDataSource } from '../agent/agentDataSources'
import { monitoringScene } from './monitoringScene'

/** The eight panels of a rollout, as one scene. */
export function MonitoringPanels({
  agent,
  environment,
  rollout,
}: {
  agent: AgentDataSource
  environment: string
  rollout: string
}) {
  const { uid } = agent
  const scene = useMemo<EmbeddedScene>(
    () => monitoringScene({ agent: getAgentDataSource(uid), environment, rollout }),
    [uid, environment, rollout],
  )
  return <scene.Component model={scene} />
}
