import {
  behaviors,
  ConstantVariable,
  EmbeddedScene,
  SceneControlsSpacer,
  SceneGridLayout,
  SceneRefreshPicker,
  SceneTimePicker,
  SceneTimeRange,
  SceneVariableSet,
  UrlSyncContextProvider,
  VariableValueSelectors,
} from '@grafana/scenes'
import { DashboardCursorSync, VariableHide } from '@grafana/schema'
import type { Incident } from '@sti-rollout/agent/contract'
import React, { useEffect, useMemo, useState } from 'react'
import { useSearchParams } from 'react-router-dom'
import { getAgentDataSource, type AgentDataSource } from '../agent/agentDataSources'
import {
  eventAnnotations,
  type EventAnnotations,
  monitoringPanels,
  toGridItem,
  prometheusVariable,
} from './dashboardPanels'
import { eventRange, type TimeRange } from './eventRange'
import { prometheusUidFor } from './prometheusDataSource'

interface MonitoringTarget {
  readonly agent: AgentDataSource
  readonly environment: string
  readonly rollout: string
}

interface Props extends MonitoringTarget {
  /** The incidents of the rollout, newest first: the link of an alert shows the time around its incident. */
  incidents: readonly Incident[]
  /** Changes with every event that is an annotation. */
  revision: string
}

/** The monitoring panels of a rollout; their time range is part of the URL. */
export function MonitoringPanels({ agent, environment, rollout, incidents, revision }: Props) {
  const { uid } = agent
  const [parameters] = useSearchParams()
  // Only the link that opened the page decides; later incidents do not move the range.
  const [range] = useState(() => eventRange(parameters.get('alert'), incidents, Date.now()))
  const [firstRevision] = useState(revision)
  const { scene, annotations } = useMemo(
    () => monitoringScene({ agent: getAgentDataSource(uid), environment, rollout }, range, firstRevision),
    [uid, environment, rollout, range, firstRevision],
  )
  useEffect(() => annotations.read(revision), [annotations, revision])
  return (
    <UrlSyncContextProvider scene={scene} updateUrlOnInit={false} createBrowserHistorySteps={false}>
      <scene.Component model={scene} />
    </UrlSyncContextProvider>
  )
}

/** The panels as placed on the dashboard, stacked on narrow screens. */
function monitoringScene(
  { agent, environment, rollout }: MonitoringTarget,
  range: TimeRange,
  revision: string,
): { scene: EmbeddedScene; annotations: EventAnnotations } {
  const timeRange = new SceneTimeRange(range)
  const annotations = eventAnnotations(timeRange, revision)
  const scene = new EmbeddedScene({
    $timeRange: timeRange,
    $variables: new SceneVariableSet({
      variables: [
        selectedPrometheusVariable(agent),
        new ConstantVariable({ name: 'agent', value: agent.uid, hide: VariableHide.hideVariable }),
        new ConstantVariable({ name: 'environment', value: environment, hide: VariableHide.hideVariable }),
        new ConstantVariable({ name: 'rollout', value: rollout, hide: VariableHide.hideVariable }),
      ],
    }),
    $data: annotations.layers,
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
  return { scene, annotations }
}

function selectedPrometheusVariable(agent: AgentDataSource) {
  const variable = prometheusVariable()
  const uid = prometheusUidFor(agent)
  if (uid) variable.setState({ value: uid })
  return variable
}
