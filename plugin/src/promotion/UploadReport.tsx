import React from 'react'
import { ACTIONS } from '../action/actionCatalog'
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

/** Submits the signed report of another environment. */
export function UploadReport({ environment, rollout, onDone, onClose }: Props) {
  return (
    <FileConfirmation
      title={`Submit a report for ${rollout}`}
      environment={environment}
      confirmLabel={ACTIONS.promote.label}
      description="Select the JSON report that was downloaded in the other environment. The agent verifies its signature."
      label="Report"
      missingFileHint="Select a report first."
      parseErrorTitle="Cannot submit this file"
      parse={parseReport}
      summarize={(report) => [
        ['Rollout', `${report.rollout} in ${report.environment}`],
        ['Validation', report.verdict ?? 'none'],
        ['Validated', formatTime(report.validatedAt)],
        ['Signature', report.signed ? 'present' : 'missing'],
      ]}
      submit={(report, note) =>
        submitPromotion(environment.agent, rollout, {
          environment: environment.name,
          report: report.value,
          force: false,
          ...note,
        })
      }
      onDone={onDone}
      onClose={onClose}
    />
  )
}
