import React from 'react'
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

/** Takes in a baseline that was exported before: what is judged by it may become easier or harder. */
export function ImportBaseline({ environment, rollout, onDone, onClose }: Props) {
  return (
    <FileConfirmation
      title={`Import a baseline of ${rollout}`}
      environment={environment}
      confirmLabel="Import"
      description="A file that was exported before. Later validations are judged by it, if it is the newest that can be used. One that is kept here already stays as it is."
      label="File"
      missingFileHint="Choose the file first."
      parseErrorTitle="This cannot be imported"
      parse={parseBaseline}
      summarize={(content) => [
        ['Of', `${content.rollout} in ${content.environment}`],
        ['Release', content.release ?? '–'],
        ['From', formatTime(content.startedAt)],
        ['Until', formatTime(content.endedAt)],
        ['Signals', content.signals.length],
        ['Queries', content.queries.length],
      ]}
      submit={(content, why) => importBaseline(environment.agent, rollout, { content, oneRunOnly: false, ...why })}
      onDone={onDone}
      onClose={onClose}
    />
  )
}
