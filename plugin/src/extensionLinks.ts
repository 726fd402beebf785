import type { PluginExtensionPanelContext } from '@grafana/data'
import { DASHBOARD_UID, PANEL_ID, routes } from './routes'

/** What a link of the app becomes in its context; undefined hides it. */
type ConfiguredLink = { readonly title: string; readonly path: string } | undefined

/** The context of an alert instance, as far as it is used. */
export interface AlertInstanceContext {
  readonly instance?: { readonly labels?: Readonly<Record<string, string>> }
}

/** The context of an alert rule, as far as it is used; its labels are those of the rule itself. */
export interface AlertRuleContext {
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
}

/** The variables that name the rollout of a dashboard, from its URL. */
type DashboardVariables = Readonly<Record<string, unknown>>

/** From an alert instance of STI to its rollout, with the panels at the time of its incident. */
export function alertInstanceLink(context: AlertInstanceContext | undefined): ConfiguredLink {
  const { alertname, environment, rollout } = readLabels(context?.instance)
  if (!alertname?.startsWith('Sti') || !environment) return undefined
  if (!rollout) return { title: `Open the incidents of ${environment}`, path: routes.allIncidents() }
  return {
    title: `Open ${rollout} in ${environment}`,
    path: `${routes.rollout(environment, rollout)}?alert=${encodeURIComponent(alertname)}`,
  }
}

/**
 * The labels of an alert instance. The descriptor has them also where Grafana 12.3 passes a proxy of a frozen object,
 * which throws when a property that is an object is read.
 */
function readLabels(instance: AlertInstanceContext['instance']): Readonly<Record<string, string | undefined>> {
  if (instance === undefined) return {}
  return (Object.getOwnPropertyDescriptor(instance, 'labels')?.value as Record<string, string> | undefined) ?? {}
}

/** From an alert rule of STI to the rollout that its labels name, or to the incidents of every rollout that it watches. */
export function alertRuleLink(context: AlertRuleContext | undefined): ConfiguredLink {
  if (!context?.name?.startsWith('Sti')) return undefined
  const instance = { labels: { ...context.labels, alertname: context.name } }
  return (
    alertInstanceLink({ instance }) ?? { title: 'Open the incidents of every rollout', path: routes.allIncidents() }
  )
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
  // Grafana cuts off titles in this menu after 22 characters.
  return { title: 'Open rollout', path: routes.rollout(environment, rollout) }
}
