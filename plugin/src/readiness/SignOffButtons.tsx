import { Stack } from '@grafana/ui'
import type { Attestation } from '@sti-rollout/agent/contract'
import React from 'react'
import { RefusableButton } from '../action/RefusableButton'
import type { SignOff } from './SignOffConfirmation'

interface Props {
  item: string
  what: string
  /** The last one, whether it counts or not. */
  attestation: Attestation | null
  verb: SignOff['verb']
  refused: readonly string[]
  onSignOff: (wanted: SignOff) => void
}

/** Sign off, or anew; and take back what stands. */
export function SignOffButtons({ item, what, attestation, verb, refused, onSignOff }: Props) {
  return (
    <Stack direction="row" wrap="wrap" gap={1}>
      <RefusableButton
        size="sm"
        variant="secondary"
        icon="check"
        aria-label={`${verb}: ${what}`}
        reasons={refused}
        onClick={() => onSignOff({ item, what, verb, withdraw: false })}
      >
        {attestation?.counts ? `${verb} anew` : verb}
      </RefusableButton>
      {attestation?.counts && (
        <RefusableButton
          size="sm"
          variant="secondary"
          icon="times"
          aria-label={`Withdraw: ${what}`}
          reasons={refused}
          onClick={() => onSignOff({ item, what, verb, withdraw: true })}
        >
          Withdraw
        </RefusableButton>
      )}
    </Stack>
  )
}
