import { AppPlugin, type PluginExtensionPanelContext, PluginExtensionPoints } from '@grafana/data'
import { locationService } from '@grafana/runtime'
import { LoadingPlaceholder } from '@grafana/ui'
import React, { lazy, Suspense } from 'react'
import {
  type AlertInstanceContext,
  alertInstanceLink,
  type AlertRuleContext,
  alertRuleLink,
  panelMenuLink,
} from './extensionLinks'
import { APP_ID, routes } from './routes'

/** Scenes uses Grafana's translations, which must be initialized before it loads. */
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

export const plugin = new AppPlugin<object>()
  .setRootPage(Root)
  .addLink({
    targets: [PluginExtensionPoints.CommandPalette],
    title: 'Roll back a flag…',
    description: 'Select a rollout and turn its flag off',
    category: 'STI Rollout',
    icon: 'history',
    // Not `path`: Grafana 12.3 closes the palette without navigating.
    onClick: () => locationService.push(routes.rollback()),
  })
  .addLink<PluginExtensionPanelContext>({
    targets: [PluginExtensionPoints.DashboardPanelMenu],
    title: 'Open rollout',
    description: 'The rollout of this dashboard, with its rollback',
    icon: 'history',
    path: routes.rollouts(),
    configure: (context) => panelMenuLink(context, locationService.getSearchObject()),
  })
  .addLink<AlertInstanceContext>({
    targets: [PluginExtensionPoints.AlertInstanceAction],
    title: 'Open rollout of the alert',
    description: 'The rollout of this alert, at the time of its incident',
    icon: 'history',
    path: routes.rollouts(),
    configure: alertInstanceLink,
  })
  .addLink<AlertRuleContext>({
    targets: [PluginExtensionPoints.AlertingAlertingRuleAction],
    title: 'Open incidents of the rule',
    description: 'The incidents of the rollouts that this rule watches',
    icon: 'history',
    path: routes.allIncidents(),
    configure: alertRuleLink,
  })
