import { Box, Checkbox, Field, Input, LoadingPlaceholder } from '@grafana/ui'
import {
  type CheckResult,
  OPERATION_ACTIONS,
  type Operation,
  type OperationAction,
  type ValidationLayer,
} from '@sti-rollout/agent/contract'
import React, { useMemo, useState } from 'react'
import { READ_TIMEOUT_MS } from '../agent/agentRequest'
import { newIdempotencyKey, startOperation } from '../agent/rolloutCalls'
import type { Environment } from '../agent/useEnvironment'
import { BaselineChoice } from '../baseline/BaselineChoice'
import { BackfillFields } from './BackfillFields'
import { BaselineFields } from './BaselineFields'
import { ColumnDropFields } from './ColumnDropFields'
import { ConfirmationModal } from './ConfirmationModal'
import { EnableFields } from './EnableFields'
import { ErrorBox } from './ErrorBox'
import { ImpactList } from './ImpactList'
import { DEFAULT_OPERATION_OPTIONS, toOperationRequest } from './operationRequest'
import { PreviewSummary } from './PreviewSummary'
import { ReasonField } from './ReasonField'
import { turnFlagOff } from './turnFlagOff'
import { usePreview } from './usePreview'
import { useSubmit } from './useSubmit'
import { LAYERS } from '../validation/verdicts'
import { ValidationFields } from './ValidationFields'

interface Props {
  action: OperationAction
  environment: Environment
  rollout: string
  /** The checks of the latest validation, which can be selected one by one. */
  knownChecks?: readonly CheckResult[]
  /** The layers that a validation can have here. */
  layers?: readonly ValidationLayer[]
  /** Called after `onClose`. */
  onDone: (operation: Operation) => void
  onClose: () => void
}

/**
 * The confirmation of an operation: its options, a reason, the typed name where required, and the agent's preview. The preview is
 * the longest part, so it is last: a phone shows every field without scrolling.
 */
export function OperationConfirmation({
  action,
  environment,
  rollout,
  knownChecks = [],
  layers = LAYERS,
  onDone,
  onClose,
}: Props) {
  const { label, destructive, title, description, impact, confirmByName, ...declaration } = OPERATION_ACTIONS[action]
  const [options, setOptions] = useState({ ...DEFAULT_OPERATION_OPTIONS, layers })
  const [reason, setReason] = useState('')
  const needsReason = declaration.reason !== 'optional'

  const request = toOperationRequest(action, environment.name, options, reason)
  const content = JSON.stringify(request)
  // The same content sent twice is one operation; a change after a refusal makes a new request.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const idempotencyKey = useMemo(() => newIdempotencyKey(), [content])
  const turnsFlagOff = action === 'rollback-flag' || action === 'disable'
  const { busy, error, send } = useSubmit(
    () =>
      turnsFlagOff
        ? turnFlagOff(environment.all, (agent) =>
            startOperation(agent, rollout, request, idempotencyKey, READ_TIMEOUT_MS),
          )
        : startOperation(environment.agent, rollout, request, idempotencyKey),
    (started) => {
      onClose()
      onDone(started)
    },
  )
  // The preview shows numbers; it does not wait for the typed name or the reason.
  const previewOptions = { ...options, typed: rollout }
  const previewState = usePreview(
    environment,
    rollout,
    toOperationRequest(action, environment.name, previewOptions, needsReason ? 'preview' : ''),
  )
  const fields = { options, onChange: setOptions }

  return (
    <ConfirmationModal
      title={title(rollout)}
      environment={environment}
      confirmLabel={label}
      destructive={destructive}
      disabledReason={disabledReason()}
      busy={busy}
      error={error}
      onConfirm={send}
      onClose={onClose}
    >
      <p>{description}</p>
      <ImpactList impact={impact} />
      {action === 'backfill' && <BackfillFields {...fields} />}
      {action === 'baseline' && <BaselineFields {...fields} />}
      {action === 'validation' && <ValidationFields {...fields} offered={layers} knownChecks={knownChecks} />}
      {action === 'validation' && options.layers.includes('performance') && (
        <BaselineChoice
          environment={environment}
          rollout={rollout}
          value={options.baseline}
          onChange={(baseline) => setOptions({ ...options, baseline })}
        />
      )}
      {action === 'enable' && <EnableFields {...fields} />}
      {action === 'prepare-column-drop' && <ColumnDropFields {...fields} />}
      {action === 'remove-archive' && <ColumnDropFields {...fields} removal />}
      {action === 'rollback-data' && (
        <Box marginBottom={2}>
          <Checkbox
            label="Full rollback"
            description="Also undo the other changes of expand and finalize."
            value={options.full}
            onChange={(event) => setOptions({ ...options, full: event.currentTarget.checked })}
          />
        </Box>
      )}
      {action === 'rollback-system' && environment.status.you.level === 'admin' && (
        <Box marginBottom={2}>
          <Checkbox
            label="Also overwrite changes made by others since then"
            description="If this is off, such changes are reported and kept."
            value={options.force}
            onChange={(event) => setOptions({ ...options, force: event.currentTarget.checked })}
          />
        </Box>
      )}
      <ReasonField required={needsReason} value={reason} onChange={setReason} />
      {confirmByName && (
        <Field label={`Type ${rollout} to confirm`} required>
          <Input
            id="sti-typed"
            value={options.typed}
            autoComplete="off"
            onChange={(event) => setOptions({ ...options, typed: event.currentTarget.value })}
          />
        </Field>
      )}
      <div aria-live="polite">
        {previewState.preview && <PreviewSummary preview={previewState.preview} />}
        {!previewState.preview && !previewState.error && <LoadingPlaceholder text="Loading the preview…" />}
        {previewState.error && !error && <ErrorBox error={previewState.error} title="No preview available" />}
      </div>
    </ConfirmationModal>
  )

  /** Turning the flag off never waits; every other action waits for a preview that allows it and for its inputs. */
  function disabledReason(): string | null {
    if (turnsFlagOff) return null
    if (options.layers.length === 0 && options.checks.length === 0) return 'Select a layer or a check.'
    if (previewState.preview && !previewState.preview.allowed)
      return previewState.preview.reasons[0] ?? 'The agent does not allow this action now.'
    if (!previewState.preview && !previewState.error) return 'The preview is loading.'
    if (needsReason && reason.trim() === '') return 'Enter a reason.'
    if (confirmByName && options.typed !== rollout) return `Type ${rollout} to confirm.`
    return null
  }
}
