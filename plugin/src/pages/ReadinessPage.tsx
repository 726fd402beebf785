import { LoadingPlaceholder } from '@grafana/ui'
import React, { useState } from 'react'
import { AcceptancesSection } from '../acceptance/AcceptancesSection'
import { refusalReasons } from '../action/refusalReasons'
import { getReadiness } from '../agent/readinessCalls'
import type { Environment } from '../agent/useEnvironment'
import { useSlowPolling } from '../agent/usePolling'
import { MonitoringSection } from '../monitoring/MonitoringSection'
import { Contacts } from '../readiness/Contacts'
import { ReadinessItems } from '../readiness/ReadinessItems'
import { DETAILED_LISTS } from '../readiness/readinessLists'
import { ReadinessRatios } from '../readiness/ReadinessRatios'
import { type SignOff, SignOffConfirmation } from '../readiness/SignOffConfirmation'
import { RehearsalSection } from '../rehearsal/RehearsalSection'
import { RollbackReadiness } from '../rehearsal/RollbackReadiness'
import { LoadError } from '../rollout/LoadError'
import { useRolloutContext } from '../rollout/rolloutContext'
import { operationRevision } from '../rollout/useRollout'

/** The readiness of a rollout: items and sign-offs, contacts, rollback options, rehearsal, enhanced monitoring. */
export function ReadinessPage() {
  const { name, rollout, environment, detail, refresh } = useRolloutContext()
  const [signOff, setSignOff] = useState<SignOff | null>(null)
  const readinessPoll = useSlowPolling(
    environment && `${name}/${rollout}`,
    (signal) => getReadiness((environment as Environment).agent, rollout, signal),
    operationRevision(detail),
  )
  const readiness = readinessPoll.data
  const signOffRefusal = detail ? refusalReasons(detail, 'attest') : ['The rollout is loading.']
  const you = environment?.status.you

  return (
    <>
      <LoadError what="the readiness" poll={readinessPoll} />
      {!readiness && environment && !readinessPoll.error && <LoadingPlaceholder text="Loading…" />}
      {readiness && (
        <>
          <ReadinessRatios readiness={readiness} />
          {DETAILED_LISTS.map((list) => (
            <ReadinessItems
              key={list}
              list={list}
              items={readiness.items}
              refusalReasons={signOffRefusal}
              onSignOff={setSignOff}
            />
          ))}
          <Contacts
            contacts={readiness.contacts}
            detailsHidden={you?.level === 'viewer' || you?.mayAct === false}
            refusalReasons={signOffRefusal}
            onSignOff={setSignOff}
          />
        </>
      )}
      {environment && detail && (
        <>
          <RollbackReadiness environment={environment} detail={detail} refresh={refresh} />
          <RehearsalSection environment={environment} detail={detail} refresh={refresh} />
          <AcceptancesSection environment={environment} detail={detail} refresh={refresh} />
          <MonitoringSection environment={environment} detail={detail} refresh={refresh} />
        </>
      )}
      {signOff && environment && (
        <SignOffConfirmation
          signOff={signOff}
          environment={environment}
          rollout={rollout}
          onClose={() => setSignOff(null)}
          onDone={() => {
            setSignOff(null)
            readinessPoll.refresh()
          }}
        />
      )}
    </>
  )
}
