import type { NavModelItem } from '@grafana/data'
import { PluginPage } from '@grafana/runtime'
import React, { type ReactNode } from 'react'
import { withAppSubUrl, routes } from '../routes'

interface Props {
  title: string
  subTitle?: string
  /** Set for a page of the navigation, so that its breadcrumb is not repeated. */
  url?: string
  /** The pages above this one, outermost first. */
  parents?: Array<{ text: string; url: string }>
  actions?: ReactNode
  children: ReactNode
}

/** A page of the app with its breadcrumbs and actions. */
export function Page({ title, subTitle, url, parents = [], actions, children }: Props) {
  const parent = parents.reduce<NavModelItem | undefined>(
    (parentItem, { text, url }) => ({ text, url: withAppSubUrl(url), parentItem }),
    undefined,
  )
  return (
    <PluginPage
      pageNav={{ text: title, subTitle, parentItem: parent, url: url && withAppSubUrl(url) }}
      actions={actions}
    >
      {children}
    </PluginPage>
  )
}

export const rolloutBreadcrumbs = (environment: string, rollout: string) => [
  { text: `${rollout} in ${environment}`, url: routes.rollout(environment, rollout) },
]
