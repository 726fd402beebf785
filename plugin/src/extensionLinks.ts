import type { PluginExtensionPanelContext } from '@grafana/data'
import { DASHBOARD_UID, PANEL_ID, routes } from './routes'

/** What a link of the app becomes in its context; undefined hides it. */
type ConfiguredLink = { readonly title: string; readonly path: string } | undefined

/** The context of an alert instance, as far as it is used. */
export interface AlertInstanceContext {
  readonly instance?: { readonly labels?: Readonly<Record<string, string>> }
}

/** The variables that name the rollout of a dashboard, from its URL. */
type DashboardVariables = Readonly<Record<string, unknown>>

/** From an alert instance of STI to its rollout, with the panels at the time of its incident. */
export function alertInstanceLink(context: AlertInstanceContext | undefined): ConfiguredLink {
  const { alertname, environment, rollout } = context?.instance?.labels ?? {}
  if (!alertname?.startsWith('Sti') || !environment) return undefined
  if (!rollout) return { title: `Open the incidents of ${environment}`, path: routes.allIncidents() }
  return {
    title: `Open ${rollout} in ${environment}`,
    path: `${routes.rollout(environment, rollout)}?alert=${encodeURIComponent(alertname)}`,
  }
}

/** From a panel of the dashboard, or the panel of a rollout in any dashboard, to its rollout. */
export function panelMenuLink(
  context: Pick<PluginExtensionPanelContext, 'pluginId' | 'dashboard'> | undefined,
  variables: DashboardVariables,
): ConfiguredLink {
  if (context?.pluginId !== PANEL_ID && context?.dashboard.uid !== DASHBOARD_UID) return undefined
  const { 'var-environment': environment, 'var-rollout': rollout } = variables
  if (typeof environment !== 'string' || typeof rollout !== 'string' || environment === '' || rollout === '')
    return undefined
  return { title: `Roll back or open ${rollout} in ${environment}`, path: routes.rollout(environment, rollout) }
}
