import type { Incident } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { missingRightReasons } from '../action/refusalReasons'
import type { Environment } from '../agent/useEnvironment'
import { sortIncidents } from './display'
import { IncidentCard } from './IncidentCard'
import type { IncidentContext } from './incidentReport'
import { type IncidentResponse, IncidentResponseConfirmation } from './IncidentResponseConfirmation'

interface Props {
  incidents: readonly Incident[]
  environment: Pick<Environment, 'name' | 'production' | 'agent' | 'status'>
  /** The state of the rollout; null: the incidents are of several rollouts. */
  context: IncidentContext | null
  refresh: () => void
}

/** Incidents as cards, open ones first, and the confirmation of a response. */
export function IncidentList({ incidents, environment, context, refresh }: Props) {
  const [response, setResponse] = useState<IncidentResponse | null>(null)
  return (
    <>
      {sortIncidents(incidents).map((incident) => (
        <IncidentCard
          key={incident.id}
          incident={incident}
          production={environment.production}
          context={context}
          showRollout={context === null}
          refusalReasons={missingRightReasons(environment.status, 'acknowledge')}
          onRespond={setResponse}
        />
      ))}
      {response && (
        <IncidentResponseConfirmation
          response={response}
          environment={environment}
          onClose={() => setResponse(null)}
          onDone={() => {
            setResponse(null)
            refresh()
          }}
        />
      )}
    </>
  )
}
