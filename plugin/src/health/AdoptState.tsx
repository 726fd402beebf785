import { Alert } from '@grafana/ui'
import type { AgentStatus } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { ActionButton } from '../action/ActionButton'
import { ACTIONS } from '../action/actionCatalog'
import { ReasonConfirmation } from '../action/ReasonConfirmation'
import { missingRightReasons } from '../action/refusalReasons'
import type { AgentDataSource } from '../agent/agentDataSources'
import { adoptState } from '../agent/toolCalls'

interface Props {
  agent: AgentDataSource
  status: Pick<AgentStatus, 'environment' | 'production' | 'foreignState' | 'you'>
  onAdopted: () => void
}

/** The button that adopts the state of a cloned or restored database. Nothing if the state is this environment's. */
export function AdoptState({ agent, status, onAdopted }: Props) {
  const [open, setOpen] = useState(false)
  const { environment, production, foreignState } = status
  if (foreignState === null) return null
  return (
    <Alert severity="warning" title="The state in this database belongs to another environment">
      <p>{foreignState}</p>
      <ActionButton action="adopt" reasons={missingRightReasons(status, 'adopt')} onClick={() => setOpen(true)} />
      {open && (
        <ReasonConfirmation
          title="Adopt the state of this database"
          environment={{ name: environment, production }}
          confirmLabel={ACTIONS.adopt.label}
          description="Adopt it only if the database was cloned, restored or failed over on purpose. The state in it then belongs to this environment."
          reason="required"
          submit={(reason) => adoptState(agent, environment, reason)}
          onDone={() => {
            setOpen(false)
            onAdopted()
          }}
          onClose={() => setOpen(false)}
        />
      )}
    </Alert>
  )
}
