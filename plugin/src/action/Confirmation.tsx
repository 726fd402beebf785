import { Checkbox, Field, Input, LoadingPlaceholder } from '@grafana/ui'
import type { CheckResult, Operation } from '@sti-rollout/agent/contract'
import React, { useMemo, useState } from 'react'
import { start as startOperation } from '../agent/calls'
import { QUESTION_MS } from '../agent/request'
import type { Environment } from '../agent/useEnvironment'
import { DEFAULT_CHOICES, STARTS, type Start, toRequest } from './actions'
import { BackfillChoices } from './BackfillChoices'
import { BaselineChoices } from './BaselineChoices'
import { EnableChoices } from './EnableChoices'
import { ColumnDropChoices } from './ColumnDropChoices'
import { ErrorBox } from './ErrorBox'
import { Frame } from './Frame'
import { newKey } from './newKey'
import { PreviewNumbers } from './PreviewNumbers'
import { ReasonField } from './ReasonField'
import { turnOff } from './turnOff'
import { usePreview } from './usePreview'
import { useSend } from './useSend'
import { ValidationChoices } from './ValidationChoices'

interface Props {
  start: Start
  environment: Environment
  rollout: string
  /** Checks of the last validation, of which single ones may be chosen. */
  known?: readonly CheckResult[]
  /** It has closed by then. */
  onDone: (operation: Operation) => void
  onClose: () => void
}

/** Asks before an operation starts: what will happen in the agent's numbers, why, and for the gravest its name typed. */
export function Confirmation({ start, environment, rollout, known = [], onDone, onClose }: Props) {
  const look = STARTS[start]
  const [choices, setChoices] = useState(DEFAULT_CHOICES)
  const [reason, setReason] = useState('')
  const needsReason = look.reason === 'required'

  const wanted = toRequest(start, environment.name, choices, reason)
  const content = JSON.stringify(wanted)
  // The same content sent twice is one operation; what was changed after a refusal is a new request.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const key = useMemo(() => newKey(), [content])
  const off = start === 'rollback-flag' || start === 'disable'
  const { busy, error, send } = useSend(
    () =>
      off
        ? turnOff(environment.all, (agent) => startOperation(agent, rollout, wanted, key, QUESTION_MS))
        : startOperation(environment.agent, rollout, wanted, key),
    (operation) => {
      onClose()
      onDone(operation)
    },
  )
  // The preview is about the numbers: what has still to be typed does not stand in its way.
  const typed = { ...choices, typed: rollout }
  const asked = usePreview(
    environment,
    rollout,
    toRequest(start, environment.name, typed, needsReason ? 'preview' : ''),
  )

  return (
    <Frame
      title={look.title(rollout)}
      environment={environment}
      verb={look.label}
      destructive={look.destructive}
      missing={missing()}
      busy={busy}
      error={error}
      onConfirm={send}
      onClose={onClose}
    >
      <p>{look.says}</p>
      {start === 'backfill' && <BackfillChoices choices={choices} onChange={setChoices} />}
      {start === 'baseline' && <BaselineChoices choices={choices} onChange={setChoices} />}
      {start === 'validation' && <ValidationChoices known={known} choices={choices} onChange={setChoices} />}
      {start === 'enable' && <EnableChoices choices={choices} onChange={setChoices} />}
      {start === 'prepare-column-drop' && <ColumnDropChoices choices={choices} onChange={setChoices} />}
      {start === 'remove-archive' && <ColumnDropChoices removal choices={choices} onChange={setChoices} />}
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
        {asked.preview && <PreviewNumbers preview={asked.preview} />}
        {!asked.preview && !asked.error && <LoadingPlaceholder text="The agent counts what this would do…" />}
        {asked.error && !error && <ErrorBox error={asked.error} title="No preview" />}
      </div>
      <ReasonField required={needsReason} value={reason} onChange={setReason} />
      {look.typed && (
        <Field label={`Type ${rollout} to confirm`} required>
          <Input
            id="sti-typed"
            value={choices.typed}
            autoComplete="off"
            onChange={(event) => setChoices({ ...choices, typed: event.currentTarget.value })}
          />
        </Field>
      )}
    </Frame>
  )

  /** Turning off waits for nothing; the rest for a preview that allows it, and for what has to be said. */
  function missing(): string | null {
    if (off) return null
    if (choices.layers.length === 0 && choices.checks.length === 0) return 'Choose a layer or a check.'
    if (asked.preview && !asked.preview.allowed) return asked.preview.reasons[0] ?? 'The agent does not allow it now.'
    if (!asked.preview && !asked.error) return 'The agent still counts.'
    if (needsReason && reason.trim() === '') return 'Say why.'
    if (look.typed && choices.typed !== rollout) return `Type ${rollout}.`
    return null
  }
}
