import React, { useMemo } from 'react'
import { agents } from '../agent/agents'
import { RollbackChoices } from '../palette/RollbackChoices'
import { Page } from './Page'

/** Where the command palette leads: every flag, those that are on first, each with its way back. */
export function RollbackPage() {
  const list = useMemo(() => agents(), [])
  return (
    <Page title="Roll back a flag" subTitle="Flags that are on come first.">
      <RollbackChoices agents={list} />
    </Page>
  )
}
