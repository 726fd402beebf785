import React from 'react'
import { FileConfirmation } from '../action/FileConfirmation'
import { submitPromotion } from '../agent/readinessCalls'
import type { Environment } from '../agent/useEnvironment'
import { formatTime } from '../formatTime'
import { parseReport } from './parseReport'

interface Props {
  environment: Environment
  rollout: string
  onDone: () => void
  onClose: () => void
}

/** Hands in the signed report of another environment. */
export function UploadReport({ environment, rollout, onDone, onClose }: Props) {
  return (
    <FileConfirmation
      title={`Hand in a report of ${rollout}`}
      environment={environment}
      confirmLabel="Hand in"
      description="The report of the other environment, as it was downloaded as JSON. The agent checks who signed it."
      label="Report"
      missingFileHint="Choose the report first."
      parseErrorTitle="This cannot be handed in"
      parse={parseReport}
      summarize={(report) => [
        ['Of', `${report.rollout} in ${report.environment}`],
        ['Validation', report.verdict ?? 'none'],
        ['Validated', formatTime(report.validatedAt)],
        ['Signature', report.signed ? 'is there' : 'is missing'],
      ]}
      submit={(report, why) =>
        submitPromotion(environment.agent, rollout, {
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
