import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { LinkButton, LoadingPlaceholder, useStyles2 } from '@grafana/ui'
import React, { useState } from 'react'
import { useParams } from 'react-router-dom'
import { why } from '../action/why'
import { readiness as askReadiness } from '../agent/proofCalls'
import { type Environment, useEnvironment } from '../agent/useEnvironment'
import { usePolled } from '../agent/usePolled'
import { href, to } from '../ids'
import { MonitoringSection } from '../monitoring/MonitoringSection'
import { Contacts } from '../readiness/Contacts'
import { Items } from '../readiness/Items'
import { SHOWN } from '../readiness/lists'
import { Ratios } from '../readiness/Ratios'
import { type SignOff, SignOffConfirmation } from '../readiness/SignOffConfirmation'
import { RehearsalSection } from '../rehearsal/RehearsalSection'
import { WaysBack } from '../rehearsal/WaysBack'
import { Trouble } from '../rollout/Trouble'
import { useRollout } from '../rollout/useRollout'
import { aboveRollout, Page } from './Page'

/** The definition of done, item by item, what only people know, who is called, and enhanced monitoring. */
export function ReadinessPage() {
  const { environment: name = '', rollout = '' } = useParams()
  const styles = useStyles2(getStyles)
  const [wanted, setWanted] = useState<SignOff | null>(null)
  const environment = useEnvironment(name)
  const { data: detail, error, failingSince, refresh } = useRollout(environment.data, rollout)
  const asked = usePolled(environment.data && `${name}/${rollout}`, (signal) =>
    askReadiness((environment.data as Environment).agent, rollout, signal),
  )
  const readiness = asked.data
  const refused = detail ? why(detail, 'attest') : ['The agent was not asked yet.']
  const you = environment.data?.status.you

  return (
    <Page
      title="Readiness"
      subTitle={`${rollout} in ${name}`}
      above={aboveRollout(name, rollout)}
      actions={
        <LinkButton variant="secondary" size="sm" icon="check-square" href={href(to.validation(name, rollout))}>
          Validation
        </LinkButton>
      }
    >
      <div className={styles.all}>
        <Trouble
          environment={environment.data}
          error={environment.error ?? error ?? asked.error}
          failingSince={environment.failingSince ?? failingSince ?? asked.failingSince}
        />
        {!readiness && !environment.error && !asked.error && <LoadingPlaceholder text="Asking the agent…" />}
        {readiness && (
          <>
            <Ratios readiness={readiness} />
            {SHOWN.map((list) => (
              <Items key={list} list={list} items={readiness.items} refused={refused} onSignOff={setWanted} />
            ))}
            <Contacts
              contacts={readiness.contacts}
              hidden={you?.level === 'viewer' || you?.mayAct === false}
              refused={refused}
              onSignOff={setWanted}
            />
          </>
        )}
        {environment.data && detail && (
          <>
            <WaysBack environment={environment.data} detail={detail} refresh={refresh} />
            <RehearsalSection environment={environment.data} detail={detail} refresh={refresh} />
            <MonitoringSection environment={environment.data} detail={detail} refresh={refresh} />
          </>
        )}
        {wanted && environment.data && (
          <SignOffConfirmation
            wanted={wanted}
            environment={environment.data}
            rollout={rollout}
            onClose={() => setWanted(null)}
            onDone={() => {
              setWanted(null)
              asked.refresh()
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
