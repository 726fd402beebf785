import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { EmptyState, LinkButton, LoadingPlaceholder, useStyles2 } from '@grafana/ui'
import React, { useState } from 'react'
import { useParams } from 'react-router-dom'
import { LAYERS } from '../action/actions'
import { Confirmation } from '../action/Confirmation'
import { RefusableButton } from '../action/RefusableButton'
import { why } from '../action/why'
import { useEnvironment } from '../agent/useEnvironment'
import { BaselineSection } from '../baseline/BaselineSection'
import { ReportSection } from '../evidence/ReportSection'
import { href, to } from '../ids'
import { RunningOfKind } from '../operation/RunningOfKind'
import { PromotionSection } from '../promotion/PromotionSection'
import { Trouble } from '../rollout/Trouble'
import { useRollout } from '../rollout/useRollout'
import { Checks } from '../validation/Checks'
import { Confusion } from '../validation/Confusion'
import { PartOfIt } from '../validation/PartOfIt'
import { Summary } from '../validation/Summary'
import { aboveRollout, Page } from './Page'

/** The latest validation by layer, the baseline it judges by, the report of it, and what the next environment wants. */
export function ValidationPage() {
  const { environment: name = '', rollout = '' } = useParams()
  const styles = useStyles2(getStyles)
  const [open, setOpen] = useState(false)
  const environment = useEnvironment(name)
  const { data: detail, error, failingSince, refresh } = useRollout(environment.data, rollout)
  const validation = detail?.validation ?? null

  return (
    <Page
      title="Validation"
      subTitle={`${rollout} in ${name}`}
      above={aboveRollout(name, rollout)}
      actions={
        <>
          <LinkButton variant="secondary" size="sm" icon="clipboard-alt" href={href(to.readiness(name, rollout))}>
            Readiness
          </LinkButton>
          {detail && (
            <RefusableButton
              size="sm"
              icon="check-circle"
              reasons={why(detail, 'validation')}
              onClick={() => setOpen(true)}
            >
              Validate
            </RefusableButton>
          )}
        </>
      }
    >
      <div className={styles.all}>
        <Trouble
          environment={environment.data}
          error={environment.error ?? error}
          failingSince={environment.failingSince ?? failingSince}
        />
        {!detail && !environment.error && !error && <LoadingPlaceholder text="Asking the agent…" />}
        {environment.data && detail && (
          <>
            <RunningOfKind kind="validation" environment={environment.data} detail={detail} refresh={refresh} />
            <RunningOfKind kind="baseline" environment={environment.data} detail={detail} refresh={refresh} />
          </>
        )}
        {environment.data && detail && <PartOfIt environment={environment.data} detail={detail} />}
        {detail && !validation && (
          <EmptyState variant="not-found" message="No validation has run yet">
            It reads the whole table and changes nothing. Start it with “Validate”.
          </EmptyState>
        )}
        {validation && (
          <>
            <Summary validation={validation} current={validation.fileHash === detail?.fileHash} />
            {LAYERS.map((layer) => (
              <Checks
                key={layer}
                layer={layer}
                result={validation.layers.find((each) => each.layer === layer) ?? null}
                checks={validation.checks.filter((check) => check.layer === layer)}
              />
            ))}
            {validation.confusion.length > 0 && <Confusion cells={validation.confusion} />}
          </>
        )}
        {environment.data && detail && (
          <>
            <BaselineSection environment={environment.data} detail={detail} refresh={refresh} />
            <ReportSection environment={environment.data} detail={detail} />
            <PromotionSection environment={environment.data} detail={detail} refresh={refresh} />
          </>
        )}
        {open && environment.data && (
          <Confirmation
            start="validation"
            environment={environment.data}
            rollout={rollout}
            known={validation?.checks}
            onClose={() => setOpen(false)}
            onDone={refresh}
          />
        )}
      </div>
    </Page>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(2) }),
})
