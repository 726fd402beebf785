import {
  behaviors,
  ConstantVariable,
  EmbeddedScene,
  SceneControlsSpacer,
  SceneGridLayout,
  SceneDataLayerSet,
  SceneRefreshPicker,
  SceneTimePicker,
  SceneTimeRange,
  SceneVariableSet,
  VariableValueSelectors,
} from '@grafana/scenes'
import { DashboardCursorSync, VariableHide } from '@grafana/schema'
import React, { useMemo } from 'react'
import { getAgentDataSource, type AgentDataSource } from '../agent/agentDataSources'
import { annotationLayers, monitoringPanels, toGridItem, prometheusVariable } from './dashboardPanels'
import { prometheusUidFor } from './prometheusDataSource'

interface MonitoringTarget {
  readonly agent: AgentDataSource
  readonly environment: string
  readonly rollout: string
}

/** The monitoring panels of a rollout. */
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

/** The panels as placed on the dashboard, stacked on narrow screens. */
function monitoringScene({ agent, environment, rollout }: MonitoringTarget): EmbeddedScene {
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({ from: 'now-15m', to: 'now' }),
    $variables: new SceneVariableSet({
      variables: [
        selectedPrometheusVariable(agent),
        new ConstantVariable({ name: 'agent', value: agent.uid, hide: VariableHide.hideVariable }),
        new ConstantVariable({ name: 'environment', value: environment, hide: VariableHide.hideVariable }),
        new ConstantVariable({ name: 'rollout', value: rollout, hide: VariableHide.hideVariable }),
      ],
    }),
    $data: new SceneDataLayerSet({ layers: annotationLayers() }),
    $behaviors: [new behaviors.CursorSync({ key: 'cursor', sync: DashboardCursorSync.Crosshair })],
    controls: [
      new VariableValueSelectors({}),
      new SceneControlsSpacer(),
      new SceneTimePicker({ isOnCanvas: true }),
      new SceneRefreshPicker({
        withText: true,
        refresh: '5s',
        isOnCanvas: true,
        intervals: ['5s', '10s', '30s', '1m'],
      }),
    ],
    body: new SceneGridLayout({ children: monitoringPanels().map(toGridItem) }),
  })
}

function selectedPrometheusVariable(agent: AgentDataSource) {
  const variable = prometheusVariable()
  const uid = prometheusUidFor(agent)
  if (uid) variable.setState({ value: uid })
  return variable
}
