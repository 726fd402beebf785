import type { EmbeddedScene } from '@grafana/scenes'
import React, { useMemo } from 'react'
import { agentOf, type Agent } from '../agent/agents'
import { monitoringScene } from './monitoring'

/** The eight panels of a rollout, as one scene. */
export function Monitoring({ agent, environment, rollout }: { agent: Agent; environment: string; rollout: string }) {
  const { uid } = agent
  const scene = useMemo<EmbeddedScene>(
    () => monitoringScene({ agent: agentOf(uid), environment, rollout }),
    [uid, environment, rollout],
  )
  return <scene.Component model={scene} />
}
