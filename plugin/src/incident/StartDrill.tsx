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

interface DrillTarget {
  agent: AgentDataSource
  environment: { name: string; production: boolean }
  rollout: string
}

interface Props extends DrillTarget {
  refusalReasons: readonly string[]
  onStarted: () => void
}

const SEVERITIES = (Object.keys(SEVERITY_DISPLAY) as Severity[]).map((value) => ({ value, label: value }))

/** The button that starts a drill of the alert procedure, and its confirmation. */
export function StartDrill({ refusalReasons, onStarted, ...target }: Props) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <ActionButton action="drill" reasons={refusalReasons} onClick={() => setOpen(true)} />
      {open && (
        <DrillConfirmation
          {...target}
          onDone={() => {
            setOpen(false)
            onStarted()
          }}
          onClose={() => setOpen(false)}
        />
      )}
    </>
  )
}

function DrillConfirmation({
  agent,
  environment,
  rollout,
  onDone,
  onClose,
}: DrillTarget & { onDone: () => void; onClose: () => void }) {
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
    onDone,
  )
  return (
    <ConfirmationModal
      title={`Start a drill for ${rollout}`}
      environment={environment}
      confirmLabel={ACTIONS.drill.label}
      destructive={rollBackFlag}
      disabledReason={null}
      busy={busy}
      error={error}
      onConfirm={send}
      onClose={onClose}
    >
      <p>
        Opens an incident that is marked as a drill and pages people like a real one; severity info pages nobody. The
        alert procedure counts as tested only if someone other than you acknowledges the incident in time.
      </p>
      <Field label="Severity">
        <RadioButtonGroup
          options={SEVERITIES}
          value={severity}
          onChange={(value) => setSeverity(value)}
          aria-label="Severity"
        />
      </Field>
      <Field>
        <Checkbox
          label="Also turn the flag off"
          description="Measures how long it takes until every client has the flag off."
          value={rollBackFlag}
          onChange={(event) => setRollBackFlag(event.currentTarget.checked)}
        />
      </Field>
      <ReasonField required={false} value={reason} onChange={setReason} />
    </ConfirmationModal>
  )
}
