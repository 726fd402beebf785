import { EmptyState } from '@grafana/ui'
import React from 'react'
import { OperationButton } from '../action/OperationButton'
import { BaselineSection } from '../baseline/BaselineSection'
import { ReportSection } from '../evidence/ReportSection'
import { TabActions } from '../layout/TabActions'
import { RunningOperationSection } from '../operation/RunningOperationSection'
import { PromotionSection } from '../promotion/PromotionSection'
import { useRolloutContext } from '../rollout/rolloutContext'
import { LayerChecks } from '../validation/LayerChecks'
import { ConfusionMatrix } from '../validation/ConfusionMatrix'
import { PartialValidation } from '../validation/PartialValidation'
import { ValidationSummaryLine } from '../validation/ValidationSummaryLine'
import { LAYERS } from '../validation/verdicts'

/** The latest validation by layer, the baseline, the report, and the promotion. */
export function ValidationPage() {
  const { environment, detail, refresh } = useRolloutContext()
  const validation = detail?.validation ?? null

  return (
    <>
      {environment && detail && (
        <TabActions>
          <OperationButton
            action="validation"
            variant="primary"
            environment={environment}
            detail={detail}
            knownChecks={validation?.checks}
            onStarted={refresh}
          />
        </TabActions>
      )}
      {environment && detail && (
        <>
          <RunningOperationSection kind="validation" environment={environment} detail={detail} refresh={refresh} />
          <RunningOperationSection kind="baseline" environment={environment} detail={detail} refresh={refresh} />
        </>
      )}
      {environment && detail && <PartialValidation environment={environment} detail={detail} />}
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
      {environment && detail && (
        <>
          <BaselineSection environment={environment} detail={detail} refresh={refresh} />
          <ReportSection environment={environment} detail={detail} />
          <PromotionSection environment={environment} detail={detail} refresh={refresh} />
        </>
      )}
    </>
  )
}
