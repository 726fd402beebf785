import React, { useMemo } from 'react'
import { listAgentDataSources } from '../agent/agentDataSources'
import { FlagChoiceList } from '../palette/FlagChoiceList'
import { Page } from './Page'

/** The page behind the command palette: every flag with its rollback button, flags that are on first. */
export function RollbackPage() {
  const list = useMemo(() => listAgentDataSources(), [])
  return (
    <Page title="Roll back a flag" subTitle="Flags that are on are listed first.">
      <FlagChoiceList agents={list} />
    </Page>
  )
}
