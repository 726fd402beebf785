import React from 'react'
import { FileConfirmation } from '../action/FileConfirmation'
import { promote } from '../agent/proofCalls'
import type { Environment } from '../agent/useEnvironment'
import { clock } from '../words/numbers'
import { readReport } from './handedIn'

interface Props {
  environment: Environment
  rollout: string
  onDone: () => void
  onClose: () => void
}

/** Hands in the signed report of another environment. */
export function HandIn({ environment, rollout, onDone, onClose }: Props) {
  return (
    <FileConfirmation
      title={`Hand in a report of ${rollout}`}
      environment={environment}
      verb="Hand in"
      says="The report of the other environment, as it was downloaded as JSON. The agent checks who signed it."
      label="Report"
      missing="Choose the report first."
      refusal="This cannot be handed in"
      read={readReport}
      shows={(report) => [
        ['Of', `${report.rollout} in ${report.environment}`],
        ['Validation', report.verdict ?? 'none'],
        ['Validated', clock(report.validatedAt)],
        ['Signature', report.signed ? 'is there' : 'is missing'],
      ]}
      work={(report, why) =>
        promote(environment.agent, rollout, {
          environment: environment.name,
          report: report.value,
          force: false,
          ...why,
        })
      }
      onDone={onDone}
      onClose={onClose}
    />
  )
}
