import '../nestedPublicPath'
import { PanelPlugin } from '@grafana/data'
import { LoadingPlaceholder } from '@grafana/ui'
import React, { lazy, Suspense } from 'react'
import type { PanelOptions } from './RolloutPanel'

const LazyPanel = lazy(async () => ({ default: (await import('./RolloutPanel')).RolloutPanel }))

export const plugin = new PanelPlugin<PanelOptions>((props) => (
  <Suspense fallback={<LoadingPlaceholder text="" />}>
    <LazyPanel {...props} />
  </Suspense>
)).setPanelOptions((builder) =>
  builder
    .addTextInput({
      path: 'agent',
      name: 'Agent',
      description: 'The uid of the agent’s data source, or a variable',
      defaultValue: '${agent}',
    })
    .addTextInput({
      path: 'rollout',
      name: 'Rollout',
      description: 'The name of the rollout, or a variable',
      defaultValue: '${rollout}',
    }),
)
