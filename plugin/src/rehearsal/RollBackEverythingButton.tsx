import { Field, Input } from '@grafana/ui'
import { isEnded, OPERATION_ACTIONS, type RolloutDetail } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { ActionButton } from '../action/ActionButton'
import { ConfirmationModal } from '../action/ConfirmationModal'
import { ImpactList } from '../action/ImpactList'
import { ReasonField } from '../action/ReasonField'
import { missingRightReasons } from '../action/refusalReasons'
import { turnFlagOff } from '../action/turnFlagOff'
import { useSubmit } from '../action/useSubmit'
import { READ_TIMEOUT_MS } from '../agent/agentRequest'
import { getOperation, getRollout, newIdempotencyKey, previewOperation, startOperation } from '../agent/rolloutCalls'
import type { Environment } from '../agent/useEnvironment'
import { rollBackEverything } from './rollBackEverything'
import { BulletList } from '../layout/BulletList'

interface Props {
  environment: Environment
  detail: RolloutDetail
  onDone: () => void
}

const LABEL = 'Roll back everything'
const POLL_INTERVAL_MS = 1_000

/** One button for flag, data, system and monitoring, in this order. Starting it again continues. */
export function RollBackEverythingButton({ environment, detail: { rollout }, onDone }: Props) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <ActionButton
        action="rollback-system"
        label={LABEL}
        reasons={missingRightReasons(environment.status, 'rollback-system')}
        onClick={() => setOpen(true)}
      />
      {open && (
        <RollBackEverythingConfirmation
          environment={environment}
          rollout={rollout}
          onClose={() => {
            setOpen(false)
            onDone()
          }}
        />
      )}
    </>
  )
}

function RollBackEverythingConfirmation({
  environment,
  rollout,
  onClose,
}: {
  environment: Environment
  rollout: string
  onClose: () => void
}) {
  const [typed, setTyped] = useState('')
  const [reason, setReason] = useState('')
  const [lines, setLines] = useState<readonly string[]>([])
  const [done, setDone] = useState(false)
  const { agent, name } = environment
  const { busy, error, send } = useSubmit(
    () =>
      rollBackEverything(
        {
          turnFlagOff: (request) =>
            turnFlagOff(environment.all, (each) =>
              startOperation(each, rollout, request, newIdempotencyKey(), READ_TIMEOUT_MS),
            ),
          findActive: async (scope) =>
            (await getRollout(agent, rollout)).operations.find(
              ({ kind, parameters, state }) => kind === 'rollback' && parameters.scope === scope && !isEnded(state),
            ) ?? null,
          preview: (request) => previewOperation(agent, rollout, request),
          start: (request) => startOperation(agent, rollout, request, newIdempotencyKey()),
          waitForEnd: async (id) => {
            for (;;) {
              const operation = await getOperation(agent, id)
              if (isEnded(operation.state) || operation.state === 'paused') return operation
              await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS))
            }
          },
          staleClients: async () =>
            (await getRollout(agent, rollout)).flag.clients.filter(({ stale }) => stale).map(({ client }) => client),
          report: (line) => setLines((earlier) => [...earlier, line]),
        },
        { environment: name, rollout, reason: reason.trim() },
      ),
    () => setDone(true),
  )
  return (
    <ConfirmationModal
      title={`${LABEL} of ${rollout}`}
      environment={environment}
      confirmLabel={LABEL}
      destructive
      disabledReason={
        reason.trim() === '' ? 'Enter a reason.' : typed === rollout ? null : `Type ${rollout} to confirm.`
      }
      busy={busy && !done}
      done={done}
      error={error}
      onConfirm={send}
      onClose={onClose}
    >
      <p>
        Rolls back flag, data, system and monitoring in this order, and skips what has nothing to roll back. It stops at
        the first failure, and if you leave the page; start it again to continue.
      </p>
      {/* The rollback of the system reverts more than the others together. */}
      <ImpactList impact={OPERATION_ACTIONS['rollback-system'].impact} />
      <ReasonField required value={reason} onChange={setReason} />
      <Field label={`Type ${rollout} to confirm`} required>
        <Input
          id="sti-typed-everything"
          value={typed}
          autoComplete="off"
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      </Field>
      <BulletList aria-live="polite" aria-label="Progress">
        {lines.map((line, index) => (
          <li key={index}>{line}</li>
        ))}
      </BulletList>
      {done && <p role="status">Everything is rolled back.</p>}
    </ConfirmationModal>
  )
}
