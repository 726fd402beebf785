import type { NavModelItem } from '@grafana/data'
import { PluginPage } from '@grafana/runtime'
import React, { type ReactNode } from 'react'
import { withAppSubUrl } from '../routes'

interface Props {
  title: string
  subTitle?: string
  /** Set for a page of the navigation, so that its breadcrumb is not repeated. */
  url?: string
  /** Replaces the title above the page, not in the breadcrumbs. */
  renderTitle?: (title: string) => ReactNode
  tabs?: NavModelItem[]
  actions?: ReactNode
  children: ReactNode
}

/** A page of the app with its breadcrumbs, tabs, and actions. */
export function Page({ title, subTitle, url, renderTitle, tabs, actions, children }: Props) {
  return (
    <PluginPage
      pageNav={{ text: title, subTitle, url: url && withAppSubUrl(url), children: tabs }}
      renderTitle={renderTitle}
      actions={actions}
    >
      {children}
    </PluginPage>
  )
}
