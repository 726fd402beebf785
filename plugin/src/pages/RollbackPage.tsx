import React, { useMemo } from 'react'
import { listAgentDataSources } from '../agent/agentDataSources'
import { FlagChoiceList } from '../palette/FlagChoiceList'
import { Page } from './Page'

/** Where the command palette leads: every flag, those that are on first, each with its way back. */
export function RollbackPage() {
  const list = useMemo(() => listAgentDataSources(), [])
  return (
    <Page title="Roll back a flag" subTitle="Flags that are on come first.">
      <FlagChoiceList agents={list} />
    </Page>
  )
}
