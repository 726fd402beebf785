import { Stack } from '@grafana/ui'
import type { Attestation } from '@sti-rollout/agent/contract'
import React from 'react'
import { ActionButton } from '../action/ActionButton'
import type { SignOff } from './SignOffConfirmation'

interface Props {
  item: string
  subject: string
  /** The last one, whether it counts or not. */
  attestation: Attestation | null
  verb: SignOff['verb']
  refusalReasons: readonly string[]
  onSignOff: (wanted: SignOff) => void
}

/** Sign off, or anew; and take back what stands. */
export function SignOffButtons({ item, subject: what, attestation, verb, refusalReasons: refused, onSignOff }: Props) {
  return (
    <Stack direction="row" wrap="wrap" gap={1}>
      <ActionButton
        size="sm"
        variant="secondary"
        icon="check"
        aria-label={`${verb}: ${what}`}
        reasons={refused}
        onClick={() => onSignOff({ item, what, verb, withdraw: false })}
      >
        {attestation?.counts ? `${verb} anew` : verb}
      </ActionButton>
      {attestation?.counts && (
        <ActionButton
          size="sm"
          variant="secondary"
          icon="times"
          aria-label={`Withdraw: ${what}`}
          reasons={refused}
          onClick={() => onSignOff({ item, what, verb, withdraw: true })}
        >
          Withdraw
        </ActionButton>
      )}
    </Stack>
  )
}
