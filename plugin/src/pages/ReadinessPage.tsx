import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { LinkButton, LoadingPlaceholder, useStyles2 } from '@grafana/ui'
import React, { useState } from 'react'
import { useParams } from 'react-router-dom'
import { AcceptancesSection } from '../acceptance/AcceptancesSection'
import { refusalReasons } from '../action/refusalReasons'
import { getReadiness } from '../agent/readinessCalls'
import { type Environment, useEnvironment } from '../agent/useEnvironment'
import { usePolling } from '../agent/usePolling'
import { withAppSubUrl, routes } from '../routes'
import { MonitoringSection } from '../monitoring/MonitoringSection'
import { Contacts } from '../readiness/Contacts'
import { ReadinessItems } from '../readiness/ReadinessItems'
import { DETAILED_LISTS } from '../readiness/readinessLists'
import { ReadinessRatios } from '../readiness/ReadinessRatios'
import { type SignOff, SignOffConfirmation } from '../readiness/SignOffConfirmation'
import { RehearsalSection } from '../rehearsal/RehearsalSection'
import { RollbackReadiness } from '../rehearsal/RollbackReadiness'
import { RolloutAlerts } from '../rollout/RolloutAlerts'
import { useRollout } from '../rollout/useRollout'
import { rolloutBreadcrumbs, Page } from './Page'

/** The readiness of a rollout: items and sign-offs, contacts, rollback options, rehearsal, enhanced monitoring. */
export function ReadinessPage() {
  const { environment: name = '', rollout = '' } = useParams()
  const styles = useStyles2(getStyles)
  const [signOff, setSignOff] = useState<SignOff | null>(null)
  const environment = useEnvironment(name)
  const { data: detail, error, failingSince, refresh } = useRollout(environment.data, rollout)
  const readinessPoll = usePolling(environment.data && `${name}/${rollout}`, (signal) =>
    getReadiness((environment.data as Environment).agent, rollout, signal),
  )
  const readiness = readinessPoll.data
  const signOffRefusal = detail ? refusalReasons(detail, 'attest') : ['The rollout is loading.']
  const you = environment.data?.status.you

  return (
    <Page
      title="Readiness"
      subTitle={`${rollout} in ${name}`}
      parents={rolloutBreadcrumbs(name, rollout)}
      actions={
        <LinkButton
          variant="secondary"
          size="sm"
          icon="check-square"
          href={withAppSubUrl(routes.validation(name, rollout))}
        >
          Validation
        </LinkButton>
      }
    >
      <div className={styles.all}>
        <RolloutAlerts
          environment={environment.data}
          error={environment.error ?? error ?? readinessPoll.error}
          failingSince={environment.failingSince ?? failingSince ?? readinessPoll.failingSince}
        />
        {!readiness && !environment.error && !readinessPoll.error && <LoadingPlaceholder text="Loading…" />}
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
        {environment.data && detail && (
          <>
            <RollbackReadiness environment={environment.data} detail={detail} refresh={refresh} />
            <RehearsalSection environment={environment.data} detail={detail} refresh={refresh} />
            <AcceptancesSection environment={environment.data} detail={detail} refresh={refresh} />
            <MonitoringSection environment={environment.data} detail={detail} refresh={refresh} />
          </>
        )}
        {signOff && environment.data && (
          <SignOffConfirmation
            signOff={signOff}
            environment={environment.data}
            rollout={rollout}
            onClose={() => setSignOff(null)}
            onDone={() => {
              setSignOff(null)
              readinessPoll.refresh()
            }}
          />
        )}
      </div>
    </Page>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(2) }),
})
