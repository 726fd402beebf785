import { OPERATION_ACTIONS } from '@sti-rollout/agent/contract'
import { formatQuantity } from '@sti-rollout/agent/format'
import { Button } from '@grafana/ui'
import React, { useEffect, useRef, useState } from 'react'
import { ACTIONS } from '../action/actionCatalog'
import { BackfillFields } from '../action/BackfillFields'
import { ConfirmationModal } from '../action/ConfirmationModal'
import { EnableFields } from '../action/EnableFields'
import { ImpactList } from '../action/ImpactList'
import { DEFAULT_OPERATION_OPTIONS, toOperationRequest } from '../action/operationRequest'
import { ReasonField } from '../action/ReasonField'
import { ValidationFields } from '../action/ValidationFields'
import { Command } from '../runbook/Command'
import type { FleetMember } from './fleetMember'
import type { FleetAction, FleetRequest } from './memberActions'
import { MemberList } from './MemberList'
import { useFleetRequest, useMemberPreviews } from './useFleetRequest'

interface Props {
  rollout: string
  action: FleetAction
  /** As they were when the confirmation opened: who is in it does not change while a person reads it. */
  members: readonly FleetMember[]
  /** Called after each attempt. */
  onSent: () => void
  onClose: () => void
}

const CONTROL_TEXTS = {
  pause: 'Each operation pauses at its next safe point. Nothing is lost.',
  resume: 'Each operation continues from where it paused.',
} as const

/** What has happened at the members where it did not fail. */
const DONE_TEXTS = {
  expand: 'Started',
  backfill: 'Started',
  validation: 'Started',
  finalize: 'Started',
  enable: 'Started',
  pause: 'Paused',
  resume: 'Resumed',
  'rollback-flag': 'The flag is off',
} as const satisfies Record<FleetAction, string>

/** The stage that `sti fleet advance` goes to in waves instead. */
const WAVE_STAGES: Partial<Record<FleetAction, string>> = {
  expand: 'expanded',
  backfill: 'covered',
  validation: 'verified',
  finalize: 'finalized',
  enable: 'enabled',
}

/** The one confirmation of an action at several members: it lists them, and then shows what happened at each. */
export function FleetConfirmation({ rollout, action, members, onSent, onClose }: Props) {
  const [options, setOptions] = useState(DEFAULT_OPERATION_OPTIONS)
  const [reason, setReason] = useState('')
  const isControl = action === 'pause' || action === 'resume'
  const goesBack = action === 'rollback-flag'
  const { label, destructive } = ACTIONS[action]

  const request: FleetRequest = {
    rollout,
    action,
    reason: reason.trim(),
    // A control sends no request; its type still needs one.
    toRequest: (environment) => toOperationRequest(isControl ? 'backfill' : action, environment, options, reason),
  }
  const content = JSON.stringify([action, options])
  // Turning the flag off never waits for a preview.
  const previews = useMemberPreviews(members, request, goesBack ? null : content)
  const { outcomes, busy, send } = useFleetRequest(request, `${content} ${reason}`)

  const allowed = goesBack ? members : members.filter(({ key }) => previews[key]?.allowed === true)
  const failed = members.filter(({ key }) => outcomes[key]?.state === 'failed')
  const done = members.filter(({ key }) => outcomes[key]?.state === 'done')
  const leftOut = members.length - done.length - failed.length
  const wasSent = Object.keys(outcomes).length > 0
  const ended = wasSent && !busy
  const submit = (to: readonly FleetMember[]) => void send(to).then(onSent)
  const fields = { options, onChange: setOptions }
  const stage = WAVE_STAGES[action]

  return (
    <ConfirmationModal
      title={isControl ? `${label} the operations of ${rollout}` : OPERATION_ACTIONS[action].title(rollout)}
      environment={{
        name: formatQuantity(members.length, 'member'),
        production: members.some(({ production }) => production),
      }}
      confirmLabel={`${label} in ${formatQuantity(allowed.length, 'member')}`}
      destructive={destructive}
      disabledReason={disabledReason()}
      busy={busy}
      done={ended}
      error={null}
      onConfirm={() => submit(allowed)}
      onClose={onClose}
    >
      {!wasSent && (
        <>
          <p>{isControl ? CONTROL_TEXTS[action] : OPERATION_ACTIONS[action].description}</p>
          {!isControl && <ImpactList impact={OPERATION_ACTIONS[action].impact} />}
          {action === 'backfill' && <BackfillFields {...fields} />}
          {action === 'validation' && <ValidationFields {...fields} knownChecks={[]} />}
          {action === 'enable' && <EnableFields {...fields} />}
        </>
      )}
      {ended && (
        <Totals>
          {[
            `${DONE_TEXTS[action]} in ${done.length} of ${formatQuantity(members.length, 'member')}.`,
            failed.length > 0 && `${failed.length} failed.`,
            leftOut > 0 && `${leftOut} left out.`,
          ]
            .filter(Boolean)
            .join(' ')}
        </Totals>
      )}
      {ended && failed.length > 0 && (
        <p>
          <Button type="button" variant="secondary" size="sm" icon="repeat" onClick={() => submit(failed)}>
            {`Retry ${formatQuantity(failed.length, 'member')}`}
          </Button>
        </p>
      )}
      <MemberList members={members} request={request} previews={goesBack ? null : previews} outcomes={outcomes} />
      {!wasSent && stage !== undefined && members.length > 1 && (
        <p>
          All members start together. To go in waves, which stop at an error, run{' '}
          <Command text={`sti fleet advance fleet.yaml --to ${stage}`} />
        </p>
      )}
      {!wasSent && <ReasonField required={false} value={reason} onChange={setReason} />}
    </ConfirmationModal>
  )

  function disabledReason(): string | null {
    if (goesBack) return null
    if (action === 'validation' && options.layers.length === 0 && options.checks.length === 0)
      return 'Select a layer or a check.'
    if (members.some(({ key }) => previews[key] === undefined)) return 'The previews are loading.'
    return allowed.length === 0 ? 'No member allows this action now.' : null
  }
}

/** What it came to; it gets the focus, since the button that had it is gone. */
function Totals({ children }: { children: string }) {
  const paragraph = useRef<HTMLParagraphElement>(null)
  useEffect(() => paragraph.current?.focus(), [])
  return (
    <p ref={paragraph} tabIndex={-1} role="status">
      <strong>{children}</strong>
    </p>
  )
}
