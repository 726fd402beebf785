import type { DataTransformerConfig, PanelModel } from '@grafana/data'
import type { DataQuery, DataSourceRef } from '@grafana/schema'
import {
  DataSourceVariable,
  dataLayers,
  SceneDataLayerSet,
  type SceneDataProvider,
  SceneDataTransformer,
  SceneGridItem,
  SceneObjectUrlSyncConfig,
  SceneQueryRunner,
  SceneTimeRange,
  VizPanel,
} from '@grafana/scenes'
import { PANEL_ID } from '../routes'
import monitoring from '../dashboards/sti-rollout-monitoring.json'

/**
 * The panels of the dashboard as scene panels. The dashboard's JSON is the only definition: a key that is not carried over
 * here is an error, so that nothing is lost silently.
 */

type DashboardPanel = (typeof monitoring.panels)[number]
type PanelDefinition = Pick<PanelModel, 'options' | 'fieldConfig'> & {
  targets: Array<DataQuery & { datasource?: DataSourceRef }>
  transformations?: DataTransformerConfig[]
  interval?: string
}

const actionBarPanel = monitoring.panels.find(({ type }) => type === PANEL_ID)
const ACTION_BAR_HEIGHT = actionBarPanel?.gridPos.h ?? 0

const PANEL_KEYS = [
  ...['id', 'type', 'title', 'description', 'gridPos', 'datasource', 'targets', 'transformations', 'interval'],
  ...['options', 'fieldConfig', 'transparent', 'repeatDirection'],
]

/** A panel at its position on the dashboard, without the panel of the rollout above it. */
export function toGridItem(panel: DashboardPanel): SceneGridItem {
  const { x, y, w, h } = panel.gridPos
  return new SceneGridItem({ x, y: y - ACTION_BAR_HEIGHT, width: w, height: h, body: toVizPanel(panel) })
}

function toVizPanel(panel: DashboardPanel): VizPanel {
  const unknown = Object.keys(panel).filter((key) => !PANEL_KEYS.includes(key))
  if (unknown.length > 0)
    throw new Error(`Panel “${panel.title}” has keys that the app does not carry over: ${unknown.join(', ')}.`)
  const { options, fieldConfig } = panel as unknown as PanelDefinition
  return new VizPanel({
    key: `panel-${panel.id}`,
    pluginId: panel.type,
    title: panel.title,
    description: 'description' in panel ? panel.description : undefined,
    options,
    fieldConfig,
    $data: toDataProvider(panel as unknown as PanelDefinition & DashboardPanel),
  })
}

function toDataProvider({
  datasource,
  targets,
  transformations,
  interval,
}: PanelDefinition & DashboardPanel): SceneDataProvider {
  const runner = new SceneQueryRunner({ datasource, queries: targets, minInterval: interval })
  if (!transformations?.length) return runner
  return new SceneDataTransformer({ $data: runner, transformations })
}

/** The panels without the panel of the rollout. */
export const monitoringPanels = (): DashboardPanel[] => monitoring.panels.filter((panel) => panel !== actionBarPanel)

/** The events of a rollout as annotations of the panels of a scene. */
export interface EventAnnotations {
  readonly layers: SceneDataLayerSet
  /** Reads the events again: something happened. The refreshes of the panels do not, since a page knows from its own poll. */
  read(revision: string): void
}

/** A time range that follows another one, and is therefore no part of the URL. */
class FollowingTimeRange extends SceneTimeRange {
  protected override _urlSync = new SceneObjectUrlSyncConfig(this, { keys: [] })
}

/** `range`: the time range of the scene; `revision`: what the page knows already. */
export function eventAnnotations(range: SceneTimeRange, revision: string): EventAnnotations {
  let known = revision
  const queries = () =>
    monitoring.annotations.list.map((query) => ({ ...query, target: { ...query.target, revision: known } }) as never)
  const ownRange = new FollowingTimeRange({ from: range.state.from, to: range.state.to })
  const layers = queries().map((query, index) => {
    const { name, enable } = monitoring.annotations.list[index]!
    return new dataLayers.AnnotationsDataLayer({ name, query, isEnabled: enable })
  })
  const set = new SceneDataLayerSet({ layers })
  // Its constructor takes the layers alone.
  set.setState({ $timeRange: ownRange })
  const follow = (): void => {
    const { from, to } = range.state
    if (from === ownRange.state.from && to === ownRange.state.to) return
    ownRange.setState({ from, to })
    ownRange.onRefresh()
  }
  set.addActivationHandler(() => {
    follow()
    const changes = range.subscribeToState(follow)
    return () => changes.unsubscribe()
  })
  return {
    layers: set,
    read(newRevision) {
      if (newRevision === known) return
      known = newRevision
      queries().forEach((query, index) => layers[index]?.setState({ query }))
      ownRange.onRefresh()
    },
  }
}

/** The Prometheus variable; agent, environment, and rollout come from the page. */
export function prometheusVariable(): DataSourceVariable {
  const variable = monitoring.templating.list.find(({ name }) => name === 'prometheus')
  if (!variable) throw new Error('The dashboard has no variable prometheus.')
  return new DataSourceVariable({ name: variable.name, label: variable.label, pluginId: variable.query, value: '' })
}
