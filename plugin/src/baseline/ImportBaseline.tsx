import React from 'react'
import { ACTIONS } from '../action/actionCatalog'
import { FileConfirmation } from '../action/FileConfirmation'
import { importBaseline } from '../agent/baselineCalls'
import type { Environment } from '../agent/useEnvironment'
import { formatTime } from '../formatTime'
import { parseBaseline } from './parseBaseline'

interface Props {
  environment: Environment
  rollout: string
  onDone: () => void
  onClose: () => void
}

/** Imports an exported baseline. Later validations may become stricter or more lenient. */
export function ImportBaseline({ environment, rollout, onDone, onClose }: Props) {
  return (
    <FileConfirmation
      title={`Import a baseline of ${rollout}`}
      environment={environment}
      confirmLabel={ACTIONS['import-baseline'].label}
      description="Select a file that was exported before. Later validations are compared with this baseline if it is the newest usable one. A baseline that already exists here does not change."
      label="File"
      missingFileHint="Select a file first."
      parseErrorTitle="Cannot import this file"
      parse={parseBaseline}
      summarize={(content) => [
        ['Rollout', `${content.rollout} in ${content.environment}`],
        ['Release', content.release ?? '–'],
        ['From', formatTime(content.startedAt)],
        ['To', formatTime(content.endedAt)],
        ['Signals', content.signals.length],
        ['Queries', content.queries.length],
      ]}
      submit={(content, note) => importBaseline(environment.agent, rollout, { content, oneRunOnly: false, ...note })}
      onDone={onDone}
      onClose={onClose}
    />
  )
}
