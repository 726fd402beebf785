import React from 'react'
import { FileConfirmation } from '../action/FileConfirmation'
import { importBaseline } from '../agent/baselineCalls'
import type { Environment } from '../agent/useEnvironment'
import { clock } from '../words/numbers'
import { readBaseline } from './imported'

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
      verb="Import"
      says="A file that was exported before. Later validations are judged by it, if it is the newest that can be used. One that is kept here already stays as it is."
      label="File"
      missing="Choose the file first."
      refusal="This cannot be imported"
      read={readBaseline}
      shows={(content) => [
        ['Of', `${content.rollout} in ${content.environment}`],
        ['Release', content.release ?? '–'],
        ['From', clock(content.startedAt)],
        ['Until', clock(content.endedAt)],
        ['Signals', content.signals.length],
        ['Queries', content.queries.length],
      ]}
      work={(content, why) => importBaseline(environment.agent, rollout, { content, oneRunOnly: false, ...why })}
      onDone={onDone}
      onClose={onClose}
    />
  )
}
