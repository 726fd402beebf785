import { Checkbox, Field, RadioButtonGroup } from '@grafana/ui'
import type { Severity } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { ActionButton } from '../action/ActionButton'
import { ACTIONS } from '../action/actionCatalog'
import { ConfirmationModal } from '../action/ConfirmationModal'
import { ReasonField } from '../action/ReasonField'
import { useSubmit } from '../action/useSubmit'
import type { AgentDataSource } from '../agent/agentDataSources'
import { startDrill } from '../agent/toolCalls'
import { SEVERITY_DISPLAY } from './display'

interface Props {
  agent: AgentDataSource
  environment: { name: string; production: boolean }
  rollout: string
  refusalReasons: readonly string[]
  onStarted: () => void
}

const SEVERITIES = (Object.keys(SEVERITY_DISPLAY) as Severity[]).map((value) => ({ value, label: value }))

/** The button that starts a drill of the alert procedure, and its confirmation. */
export function StartDrill({ agent, environment, rollout, refusalReasons, onStarted }: Props) {
  const [open, setOpen] = useState(false)
  const [severity, setSeverity] = useState<Severity>('critical')
  const [rollBackFlag, setRollBackFlag] = useState(false)
  const [reason, setReason] = useState('')
  const { busy, error, send } = useSubmit(
    () =>
      startDrill(agent, rollout, {
        environment: environment.name,
        severity,
        rollBackFlag,
        ...(reason.trim() ? { reason: reason.trim() } : {}),
      }),
    () => {
      setOpen(false)
      onStarted()
    },
  )
  return (
    <>
      <ActionButton action="drill" reasons={refusalReasons} onClick={() => setOpen(true)} />
      {open && (
        <ConfirmationModal
          title={`Drill of the alert procedure of ${rollout}`}
          environment={environment}
          confirmLabel={ACTIONS.drill.label}
          destructive={rollBackFlag}
          disabledReason={null}
          busy={busy}
          error={error}
          onConfirm={send}
          onClose={() => setOpen(false)}
        >
          <p>
            Opens an incident that is marked as a drill and pages as a real one does. It counts as tested if somebody
            else than you acknowledges it in time.
          </p>
          <Field label="Severity">
            <RadioButtonGroup
              options={SEVERITIES}
              value={severity}
              onChange={(value) => setSeverity(value)}
              aria-label="Severity"
            />
          </Field>
          <Checkbox
            label="Also turn the flag off"
            description="Measures how long it takes until every client has the flag off."
            value={rollBackFlag}
            onChange={(event) => setRollBackFlag(event.currentTarget.checked)}
          />
          <ReasonField required={false} value={reason} onChange={setReason} />
        </ConfirmationModal>
      )}
    </>
  )
}
