import type { PluginExtensionPanelContext } from '@grafana/data'
import { expect, test } from 'vitest'
import { alertInstanceLink, alertRuleLink, panelMenuLink } from './extensionLinks'

const alert = (labels: Record<string, string>) => alertInstanceLink({ instance: { labels } })

test('an alert instance of STI leads to its rollout at its time; other alerts have no link', () => {
  expect(alert({ alertname: 'StiApiErrorsHigh', environment: 'staging', rollout: 'a/b' })).toEqual({
    title: 'Open a/b in staging',
    path: '/a/sti-rollout-app/rollouts/staging/a%2Fb?alert=StiApiErrorsHigh',
  })
  expect(alert({ alertname: 'StiMonitorUnreachable', environment: 'staging' })?.path).toBe(
    '/a/sti-rollout-app/incidents',
  )
  expect(alert({ alertname: 'DiskFull', environment: 'staging', rollout: 'vehicles' })).toBeUndefined()
  expect(alert({ alertname: 'StiApiErrorsHigh' })).toBeUndefined()
  expect(alertInstanceLink(undefined)).toBeUndefined()
})

test('an alert instance is read through the proxy of Grafana 12.3, which throws for objects in frozen objects', () => {
  const labels = { alertname: 'StiApiErrorsHigh', environment: 'staging', rollout: 'vehicles' }
  const instance = new Proxy(Object.freeze({ labels: Object.freeze(labels) }), {
    get: (target, name) => ({ ...(Reflect.get(target, name) as object) }),
  })
  expect(() => instance.labels).toThrow(TypeError)
  expect(alertInstanceLink({ instance })?.title).toBe('Open vehicles in staging')
})

test('an alert rule of STI leads to the rollout that its labels name, or to all incidents; other rules have no link', () => {
  expect(alertRuleLink({ name: 'StiApiErrorsHigh', labels: { environment: 'staging', rollout: 'a' } })?.path).toBe(
    '/a/sti-rollout-app/rollouts/staging/a?alert=StiApiErrorsHigh',
  )
  for (const labels of [undefined, { severity: 'critical' }])
    expect(alertRuleLink({ name: 'StiApiErrorsHigh', labels })?.path).toBe('/a/sti-rollout-app/incidents')
  expect(alertRuleLink({ name: 'DiskFull', labels: { environment: 'staging' } })).toBeUndefined()
  expect(alertRuleLink(undefined)).toBeUndefined()
})

test('a panel leads to the rollout that its dashboard shows; other dashboards have no link', () => {
  const link = (pluginId: string, uid: string, variables: Record<string, unknown>) =>
    panelMenuLink({ pluginId, dashboard: { uid } as PluginExtensionPanelContext['dashboard'] }, variables)
  const variables = { 'var-environment': 'staging', 'var-rollout': 'vehicles' }
  const path = '/a/sti-rollout-app/rollouts/staging/vehicles'
  expect(link('timeseries', 'sti-rollout-monitoring', variables)?.path).toBe(path)
  expect(link('sti-rollout-panel', 'mine', variables)?.path).toBe(path)
  expect(link('timeseries', 'mine', variables)).toBeUndefined()
  expect(link('timeseries', 'sti-rollout-monitoring', { 'var-rollout': 'vehicles' })).toBeUndefined()
})
