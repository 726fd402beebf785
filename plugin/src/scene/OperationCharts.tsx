import {
  EmbeddedScene,
  PanelBuilders,
  SceneCSSGridLayout,
  SceneQueryRunner,
  SceneRefreshPicker,
  SceneTimeRange,
} from '@grafana/scenes'
import { GraphDrawStyle } from '@grafana/schema'
import type { Operation } from '@sti-rollout/agent/contract'
import React, { useMemo } from 'react'
import { getAgentDataSource, type AgentDataSource } from '../agent/agentDataSources'
import { prometheusUidFor } from './prometheusDataSource'

interface Props {
  uid: string
  environment: string
  operation: Operation
}

/** Rate and batches of a backfill. The scene is built when the backfill starts and again when it ends. */
export function OperationCharts({ uid, environment, operation }: Props) {
  const { id, startedAt, endedAt } = operation
  const scene = useMemo(
    () => operationScene(getAgentDataSource(uid), environment, operation),
    // The progress of the operation does not change the time range of the charts.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [uid, environment, id, startedAt, endedAt],
  )
  return scene && <scene.Component model={scene} />
}

/** The charts over the duration of the operation; null without a Prometheus data source. */
function operationScene(agent: AgentDataSource, environment: string, operation: Operation): EmbeddedScene | null {
  const uid = prometheusUidFor(agent)
  if (!uid || !operation.startedAt) return null
  const labels = `environment=${JSON.stringify(environment)},rollout=${JSON.stringify(operation.rollout)}`
  const runner = (...queries: Array<{ refId: string; expr: string; legendFormat: string }>) =>
    new SceneQueryRunner({ datasource: { type: 'prometheus', uid }, queries, minInterval: '5s' })
  const mean = (name: string) =>
    `sum(rate(${name}_sum{${labels}}[$__rate_interval])) / sum(rate(${name}_count{${labels}}[$__rate_interval]))`

  const rate = PanelBuilders.timeseries()
    .setTitle('Rows per minute')
    .setNoValue('No rows were written in this time range.')
    .setUnit('short')
    .setMin(0)
    .setCustomFieldConfig('fillOpacity', 15)
    .setCustomFieldConfig('drawStyle', GraphDrawStyle.Line)
    .setData(
      runner({ refId: 'A', expr: `60 * max(sti_backfill_rows_per_second{${labels}})`, legendFormat: 'rows/min' }),
    )
    .build()
  const batches = PanelBuilders.timeseries()
    .setTitle('Batches')
    .setDescription('Batch size on the left axis, and the time that a batch held its locks on the right axis.')
    .setNoValue('No rows were written in this time range.')
    .setMin(0)
    .setOverrides((b) =>
      b
        .matchFieldsByQuery('B')
        .overrideUnit('s')
        .overrideCustomFieldConfig('axisPlacement', 'right' as never),
    )
    .setData(
      runner(
        { refId: 'A', expr: mean('sti_backfill_batch_rows'), legendFormat: 'batch size' },
        { refId: 'B', expr: mean('sti_backfill_batch_seconds'), legendFormat: 'batch duration' },
      ),
    )
    .build()
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({
      from: new Date(Date.parse(operation.startedAt) - 15_000).toISOString(),
      to: operation.endedAt ? new Date(Date.parse(operation.endedAt) + 15_000).toISOString() : 'now',
    }),
    controls: operation.endedAt
      ? []
      : [new SceneRefreshPicker({ withText: true, refresh: '5s', isOnCanvas: true, intervals: ['5s', '10s', '30s'] })],
    body: new SceneCSSGridLayout({
      templateColumns: 'repeat(auto-fit, minmax(min(360px, 100%), 1fr))',
      autoRows: '220px',
      rowGap: 1,
      columnGap: 1,
      children: [rate, batches],
    }),
  })
}
