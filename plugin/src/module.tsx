import { AppPlugin, PluginExtensionPoints } from '@grafana/data'
import { locationService } from '@grafana/runtime'
import { LoadingPlaceholder } from '@grafana/ui'
import React, { lazy, Suspense } from 'react'
import { APP_ID, routes } from './routes'

/** Scenes speaks through Grafana's translations, which have to be there before it loads. */
const LazyApp = lazy(async () => {
  const { initPluginTranslations } = await import('@grafana/i18n')
  await initPluginTranslations(APP_ID)
  return import('./pages/App')
})

const Root = () => (
  <Suspense fallback={<LoadingPlaceholder text="" />}>
    <LazyApp />
  </Suspense>
)

export const plugin = new AppPlugin<object>().setRootPage(Root).addLink({
  targets: [PluginExtensionPoints.CommandPalette],
  title: 'Roll back a flag…',
  description: 'Choose a rollout and turn its flag off',
  category: 'STI Rollout',
  icon: 'history',
  // Not `path`: Grafana 12.3 closes the palette on such an entry and goes nowhere.
  onClick: () => locationService.push(routes.rollback()),
})
