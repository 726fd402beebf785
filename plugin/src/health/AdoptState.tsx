import { Alert } from '@grafana/ui'
import type { AgentStatus } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { ActionButton } from '../action/ActionButton'
import { ACTIONS } from '../action/actionCatalog'
import { ReasonConfirmation } from '../action/ReasonConfirmation'
import type { AgentDataSource } from '../agent/agentDataSources'
import { adoptState } from '../agent/toolCalls'

interface Props {
  agent: AgentDataSource
  status: Pick<AgentStatus, 'environment' | 'production' | 'foreignState' | 'you'>
}

/** The button that adopts the state of a cloned or restored database. Nothing if the state is this environment's. */
export function AdoptState({ agent, status: { environment, production, foreignState, you } }: Props) {
  const [open, setOpen] = useState(false)
  if (foreignState === null) return null
  const reasons =
    you.mayAct && you.level === 'admin' ? [] : [you.why ?? `This requires the level admin; you have ${you.level}.`]
  return (
    <Alert severity="warning" title="The state in this database belongs to another environment">
      <p>{foreignState}</p>
      <ActionButton action="adopt" reasons={reasons} onClick={() => setOpen(true)} />
      {open && (
        <ReasonConfirmation
          title="Adopt the state of this database"
          environment={{ name: environment, production }}
          confirmLabel={ACTIONS.adopt.label}
          description="Only if the database was cloned, restored or failed over on purpose: the state in it then belongs to this environment."
          reason="required"
          submit={(reason) => adoptState(agent, environment, reason)}
          onDone={() => setOpen(false)}
          onClose={() => setOpen(false)}
        />
      )}
    </Alert>
  )
}
