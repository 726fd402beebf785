import type { Incident } from '@sti-rollout/agent/contract'
import React from 'react'
import { ReasonConfirmation } from '../action/ReasonConfirmation'
import { acknowledgeIncident, resolveIncident } from '../agent/incidentCalls'
import type { Environment } from '../agent/useEnvironment'

export interface IncidentResponse {
  readonly verb: 'acknowledge' | 'resolve'
  readonly incident: Incident
}

const DESCRIPTIONS = {
  acknowledge: 'You are handling this incident. The timer stops and nobody else is paged.',
  see: 'You have seen this information. That closes it.',
  resolve: 'The incident is over. If its alert fires again, a new incident opens.',
} as const

interface Props {
  response: IncidentResponse
  environment: Pick<Environment, 'name' | 'production' | 'agent'>
  onDone: () => void
  onClose: () => void
}

/** The confirmation before an incident is acknowledged or closed, with a note that is kept with the incident. */
export function IncidentResponseConfirmation({ response: { verb, incident }, environment, onDone, onClose }: Props) {
  const [title, label, send] =
    verb === 'acknowledge'
      ? ['Acknowledge', 'Acknowledge', acknowledgeIncident]
      : (['Close', 'Close incident', resolveIncident] as const)
  return (
    <ReasonConfirmation
      title={`${title} incident ${incident.id}, ${incident.rule}`}
      environment={environment}
      confirmLabel={label}
      description={DESCRIPTIONS[verb === 'acknowledge' && incident.severity === 'info' ? 'see' : verb]}
      reason="optional"
      label="Note"
      submit={(note) => send(environment.agent, incident.id, note)}
      onDone={onDone}
      onClose={onClose}
    />
  )
}
