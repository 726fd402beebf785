import { Stack } from '@grafana/ui'
import type { Attestation } from '@sti-rollout/agent/contract'
import React from 'react'
import { ActionButton } from '../action/ActionButton'
import type { SignOff } from './SignOffConfirmation'

interface Props {
  item: string
  subject: string
  /** The latest sign-off, also if it is not valid. */
  attestation: Attestation | null
  verb: SignOff['verb']
  refusalReasons: readonly string[]
  onSignOff: (signOff: SignOff) => void
}

/** The buttons to sign off an item, to renew the sign-off, and to withdraw it. */
export function SignOffButtons({ item, subject, attestation, verb, refusalReasons, onSignOff }: Props) {
  return (
    <Stack direction="row" wrap="wrap" gap={1}>
      <ActionButton
        action="attest"
        label={attestation?.counts ? `${verb} again` : verb}
        aria-label={`${verb}: ${subject}`}
        reasons={refusalReasons}
        onClick={() => onSignOff({ item, subject, verb, withdraw: false })}
      />
      {attestation?.counts && (
        <ActionButton
          action="attest"
          label="Withdraw"
          icon="times"
          aria-label={`Withdraw: ${subject}`}
          reasons={refusalReasons}
          onClick={() => onSignOff({ item, subject, verb, withdraw: true })}
        />
      )}
    </Stack>
  )
}
