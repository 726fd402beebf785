import { Checkbox, Field, Input, LoadingPlaceholder } from '@grafana/ui'
import type { CheckResult, Operation } from '@sti-rollout/agent/contract'
import React, { useMemo, useState } from 'react'
import { startOperation as startOperation } from '../agent/rolloutCalls'
import { READ_TIMEOUT_MS } from '../agent/agentRequest'
import type { Environment } from '../agent/useEnvironment'
import { DEFAULT_OPERATION_OPTIONS, OPERATION_ACTIONS, type OperationAction, toOperationRequest } from './actionCatalog'
import { BackfillFields } from './BackfillFields'
import { BaselineFields } from './BaselineFields'
import { EnableFields } from './EnableFields'
import { ColumnDropFields } from './ColumnDropFields'
import { ErrorBox } from './ErrorBox'
import { ConfirmationModal } from './ConfirmationModal'
import { newIdempotencyKey } from './idempotencyKey'
import { PreviewSummary } from './PreviewSummary'
import { ReasonField } from './ReasonField'
import { turnFlagOff } from './turnFlagOff'
import { usePreview } from './usePreview'
import { useSubmit } from './useSubmit'
import { ValidationFields } from './ValidationFields'

interface Props {
  start: OperationAction
  environment: Environment
  rollout: string
  /** Checks of the last validation, of which single ones may be chosen. */
  knownChecks?: readonly CheckResult[]
  /** It has closed by then. */
  onDone: (operation: Operation) => void
  onClose: () => void
}

/** Asks before an operation starts: what will happen in the agent's numbers, why, and for the gravest its name typed. */
export function OperationConfirmation({
  start,
  environment,
  rollout,
  knownChecks: known = [],
  onDone,
  onClose,
}: Props) {
  const display = OPERATION_ACTIONS[start]
  const [choices, setChoices] = useState(DEFAULT_OPERATION_OPTIONS)
  const [reason, setReason] = useState('')
  const needsReason = display.reason === 'required'

  const request = toOperationRequest(start, environment.name, choices, reason)
  const content = JSON.stringify(request)
  // The same content sent twice is one operation; what was changed after a refusal is a new request.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const idempotencyKey = useMemo(() => newIdempotencyKey(), [content])
  const turnsFlagOff = start === 'rollback-flag' || start === 'disable'
  const { busy, error, send } = useSubmit(
    () =>
      turnsFlagOff
        ? turnFlagOff(environment.all, (agent) =>
            startOperation(agent, rollout, request, idempotencyKey, READ_TIMEOUT_MS),
          )
        : startOperation(environment.agent, rollout, request, idempotencyKey),
    (operation) => {
      onClose()
      onDone(operation)
    },
  )
  // The preview is about the numbers: what has still to be typed does not stand in its way.
  const previewOptions = { ...choices, typed: rollout }
  const previewState = usePreview(
    environment,
    rollout,
    toOperationRequest(start, environment.name, previewOptions, needsReason ? 'preview' : ''),
  )

  return (
    <ConfirmationModal
      title={display.title(rollout)}
      environment={environment}
      confirmLabel={display.label}
      destructive={display.destructive}
      disabledReason={disabledReason()}
      busy={busy}
      error={error}
      onConfirm={send}
      onClose={onClose}
    >
      <p>{display.says}</p>
      {start === 'backfill' && <BackfillFields choices={choices} onChange={setChoices} />}
      {start === 'baseline' && <BaselineFields choices={choices} onChange={setChoices} />}
      {start === 'validation' && <ValidationFields knownChecks={known} choices={choices} onChange={setChoices} />}
      {start === 'enable' && <EnableFields choices={choices} onChange={setChoices} />}
      {start === 'prepare-column-drop' && <ColumnDropFields choices={choices} onChange={setChoices} />}
      {start === 'remove-archive' && <ColumnDropFields removal choices={choices} onChange={setChoices} />}
      {start === 'rollback-data' && (
        <Checkbox
          label="Full rollback"
          description="Also takes back what else expand and finalize did."
          value={choices.full}
          onChange={(event) => setChoices({ ...choices, full: event.currentTarget.checked })}
        />
      )}
      {start === 'rollback-system' && environment.status.you.level === 'admin' && (
        <Checkbox
          label="Also what somebody else has changed since"
          description="Without it such a change is reported and left alone."
          value={choices.force}
          onChange={(event) => setChoices({ ...choices, force: event.currentTarget.checked })}
        />
      )}
      <div aria-live="polite">
        {previewState.preview && <PreviewSummary preview={previewState.preview} />}
        {!previewState.preview && !previewState.error && (
          <LoadingPlaceholder text="The agent counts what this would do…" />
        )}
        {previewState.error && !error && <ErrorBox error={previewState.error} title="No preview" />}
      </div>
      <ReasonField required={needsReason} value={reason} onChange={setReason} />
      {display.typed && (
        <Field label={`Type ${rollout} to confirm`} required>
          <Input
            id="sti-typed"
            value={choices.typed}
            autoComplete="off"
            onChange={(event) => setChoices({ ...choices, typed: event.currentTarget.value })}
          />
        </Field>
      )}
    </ConfirmationModal>
  )

  /** Turning off waits for nothing; the rest for a preview that allows it, and for what has to be said. */
  function disabledReason(): string | null {
    if (turnsFlagOff) return null
    if (choices.layers.length === 0 && choices.checks.length === 0) return 'Choose a layer or a check.'
    if (previewState.preview && !previewState.preview.allowed)
      return previewState.preview.reasons[0] ?? 'The agent does not allow it now.'
    if (!previewState.preview && !previewState.error) return 'The agent still counts.'
    if (needsReason && reason.trim() === '') return 'Say why.'
    if (display.typed && choices.typed !== rollout) return `Type ${rollout}.`
    return null
  }
}
