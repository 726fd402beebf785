import type { DataTransformerConfig, PanelModel } from '@grafana/data'
import type { DataQuery, DataSourceRef } from '@grafana/schema'
import {
  DataSourceVariable,
  dataLayers,
  type SceneDataLayerProvider,
  type SceneDataProvider,
  SceneDataTransformer,
  SceneGridItem,
  SceneQueryRunner,
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

/** The events of the rollout as annotations. */
export function annotationLayers(): SceneDataLayerProvider[] {
  return monitoring.annotations.list.map(
    (query) =>
      new dataLayers.AnnotationsDataLayer({ name: query.name, query: query as never, isEnabled: query.enable }),
  )
}

/** The Prometheus variable; agent, environment, and rollout come from the page. */
export function prometheusVariable(): DataSourceVariable {
  const variable = monitoring.templating.list.find(({ name }) => name === 'prometheus')
  if (!variable) throw new Error('The dashboard has no variable prometheus.')
  return new DataSourceVariable({ name: variable.name, label: variable.label, pluginId: variable.query, value: '' })
}
