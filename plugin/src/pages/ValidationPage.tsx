import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { EmptyState, LinkButton, LoadingPlaceholder, useStyles2 } from '@grafana/ui'
import React from 'react'
import { useParams } from 'react-router-dom'
import { OperationButton } from '../action/OperationButton'
import { useEnvironment } from '../agent/useEnvironment'
import { BaselineSection } from '../baseline/BaselineSection'
import { ReportSection } from '../evidence/ReportSection'
import { withAppSubUrl, routes } from '../routes'
import { RunningOperationSection } from '../operation/RunningOperationSection'
import { PromotionSection } from '../promotion/PromotionSection'
import { RolloutAlerts } from '../rollout/RolloutAlerts'
import { useRollout } from '../rollout/useRollout'
import { LayerChecks } from '../validation/LayerChecks'
import { ConfusionMatrix } from '../validation/ConfusionMatrix'
import { PartialValidation } from '../validation/PartialValidation'
import { ValidationSummaryLine } from '../validation/ValidationSummaryLine'
import { LAYERS } from '../validation/verdicts'
import { rolloutBreadcrumbs, Page } from './Page'

/** The latest validation by layer, the baseline, the report, and the promotion. */
export function ValidationPage() {
  const { environment: name = '', rollout = '' } = useParams()
  const styles = useStyles2(getStyles)
  const environment = useEnvironment(name)
  const { data: detail, error, failingSince, refresh } = useRollout(environment.data, rollout)
  const validation = detail?.validation ?? null

  return (
    <Page
      title="Validation"
      subTitle={`${rollout} in ${name}`}
      parents={rolloutBreadcrumbs(name, rollout)}
      actions={
        <>
          <LinkButton
            variant="secondary"
            size="sm"
            icon="clipboard-alt"
            href={withAppSubUrl(routes.readiness(name, rollout))}
          >
            Readiness
          </LinkButton>
          {environment.data && detail && (
            <OperationButton
              action="validation"
              variant="primary"
              environment={environment.data}
              detail={detail}
              knownChecks={validation?.checks}
              onStarted={refresh}
            />
          )}
        </>
      }
    >
      <div className={styles.all}>
        <RolloutAlerts
          environment={environment.data}
          error={environment.error ?? error}
          failingSince={environment.failingSince ?? failingSince}
        />
        {!detail && !environment.error && !error && <LoadingPlaceholder text="Loading…" />}
        {environment.data && detail && (
          <>
            <RunningOperationSection
              kind="validation"
              environment={environment.data}
              detail={detail}
              refresh={refresh}
            />
            <RunningOperationSection kind="baseline" environment={environment.data} detail={detail} refresh={refresh} />
          </>
        )}
        {environment.data && detail && <PartialValidation environment={environment.data} detail={detail} />}
        {detail && !validation && (
          <EmptyState variant="not-found" message="No validation has run yet">
            A validation reads the whole table and changes nothing. Select “Validate” to start one.
          </EmptyState>
        )}
        {validation && (
          <>
            <ValidationSummaryLine validation={validation} current={validation.fileHash === detail?.fileHash} />
            {LAYERS.map((layer) => (
              <LayerChecks
                key={layer}
                layer={layer}
                result={validation.layers.find((result) => result.layer === layer) ?? null}
                checks={validation.checks.filter((check) => check.layer === layer)}
              />
            ))}
            {validation.confusion.length > 0 && <ConfusionMatrix cells={validation.confusion} />}
          </>
        )}
        {environment.data && detail && (
          <>
            <BaselineSection environment={environment.data} detail={detail} refresh={refresh} />
            <ReportSection environment={environment.data} detail={detail} />
            <PromotionSection environment={environment.data} detail={detail} refresh={refresh} />
          </>
        )}
      </div>
    </Page>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(2) }),
})
