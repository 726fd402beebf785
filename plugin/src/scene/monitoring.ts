import { getDataSourceSrv } from '@grafana/runtime'
import {
  behaviors,
  ConstantVariable,
  EmbeddedScene,
  SceneControlsSpacer,
  SceneCSSGridLayout,
  SceneDataLayerSet,
  SceneRefreshPicker,
  SceneTimePicker,
  SceneTimeRange,
  SceneVariableSet,
  VariableValueSelectors,
} from '@grafana/scenes'
import { DashboardCursorSync } from '@grafana/schema'
import type { Agent } from '../agent/agents'
import { annotationLayers, monitoringPanels, panelOf, prometheusVariable } from './fromDashboard'

interface Shown {
  readonly agent: Agent
  readonly environment: string
  readonly rollout: string
}

/** The eight panels of one rollout, four by two, stacked where there is no room. */
export function monitoringScene({ agent, environment, rollout }: Shown): EmbeddedScene {
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({ from: 'now-15m', to: 'now' }),
    $variables: new SceneVariableSet({
      variables: [
        prometheus(agent),
        new ConstantVariable({ name: 'agent', value: agent.uid }),
        new ConstantVariable({ name: 'environment', value: environment }),
        new ConstantVariable({ name: 'rollout', value: rollout }),
      ],
    }),
    $data: new SceneDataLayerSet({ layers: annotationLayers() }),
    $behaviors: [new behaviors.CursorSync({ key: 'cursor', sync: DashboardCursorSync.Crosshair })],
    controls: [
      new VariableValueSelectors({}),
      new SceneControlsSpacer(),
      new SceneTimePicker({ isOnCanvas: true }),
      new SceneRefreshPicker({ refresh: '5s', isOnCanvas: true, intervals: ['5s', '10s', '30s', '1m'] }),
    ],
    body: new SceneCSSGridLayout({
      templateColumns: 'repeat(auto-fit, minmax(min(300px, 100%), 1fr))',
      autoRows: '280px',
      rowGap: 1,
      columnGap: 1,
      children: monitoringPanels().map(panelOf),
    }),
  })
}

/** Where this agent's data source says its series are, else Grafana's first one. */
function prometheus(agent: Agent) {
  const variable = prometheusVariable()
  const uid = (getDataSourceSrv().getInstanceSettings(agent.uid)?.jsonData as { prometheusUid?: string } | undefined)
    ?.prometheusUid
  if (uid) variable.setState({ value: uid })
  return variable
}
