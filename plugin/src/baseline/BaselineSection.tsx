import { Alert, Badge, Button } from '@grafana/ui'
import type { BaselineSummary, RolloutDetail } from '@sti-rollout/agent/contract'
import { formatAgo, formatCount, formatDuration } from '@sti-rollout/agent/format'
import React, { useState } from 'react'
import { OperationButton } from '../action/OperationButton'
import { ActionButton } from '../action/ActionButton'
import { refusalReasons } from '../action/refusalReasons'
import { type AgentError, toAgentError } from '../agent/AgentError'
import { getBaseline, listBaselines } from '../agent/baselineCalls'
import type { Environment } from '../agent/useEnvironment'
import { useSlowPolling } from '../agent/usePolling'
import { fromVisibleTexts } from '../agent/visibleTexts'
import { downloadFile, downloadFileName } from '../evidence/download'
import { DefinitionList } from '../layout/DefinitionList'
import { Section } from '../layout/Section'
import { formatTime } from '../formatTime'
import { operationRevision } from '../rollout/useRollout'
import { BaselinesTable } from './BaselinesTable'
import { BaselineComparisonView } from './BaselineComparisonView'
import { ImportBaseline } from './ImportBaseline'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/** The newest baseline of this environment, which performance is compared with: take, import, export, and compare it. */
export function BaselineSection({ environment, detail, refresh }: Props) {
  const [importing, setImporting] = useState(false)
  const [showComparison, setShowComparison] = useState(false)
  const [error, setError] = useState<AgentError | null>(null)
  const { rollout, baseline } = detail
  const baselinesPoll = useSlowPolling(
    `${environment.name}/${rollout}`,
    (signal) => listBaselines(environment.agent, rollout, signal),
    `${operationRevision(detail)} ${baseline?.id ?? 0}`,
  )
  const exportBaseline = ({ id }: BaselineSummary) => {
    setError(null)
    getBaseline(environment.agent, rollout, id)
      .then(({ content }) =>
        downloadFile(
          JSON.stringify(fromVisibleTexts(content), null, 2),
          'application/json',
          downloadFileName(`baseline-${id}`, rollout, environment.name, 'json'),
        ),
      )
      .catch((thrown: unknown) => setError(toAgentError(thrown, environment.agent.name, 0)))
  }
  const latest = detail.operations.find(({ kind }) => kind === 'baseline')
  const reload = () => {
    refresh()
    baselinesPoll.refresh()
  }
  return (
    <Section
      title="Baseline"
      state={<BaselineBadge baseline={baseline} />}
      actions={
        <>
          <OperationButton action="baseline" environment={environment} detail={detail} onStarted={reload} />
          <ActionButton
            action="import-baseline"
            reasons={refusalReasons(detail, 'import-baseline')}
            onClick={() => setImporting(true)}
          />
          {baseline && (
            <Button
              size="sm"
              variant="secondary"
              icon="arrows-h"
              aria-expanded={showComparison}
              onClick={() => setShowComparison(!showComparison)}
            >
              {showComparison ? 'Hide comparison' : 'Compare with now'}
            </Button>
          )}
        </>
      }
    >
      {baseline ? (
        <>
          <DefinitionList
            items={[
              ['ID', baseline.id],
              ['Release', baseline.release ?? '–'],
              ['Source', `${baseline.source}, ${baselineDuration(baseline)}`],
              ['Ended', `${formatTime(baseline.endedAt)}, ${formatAgo(baseline.endedAt)}`],
              ['Signals with data', `${countKnownSignals(baseline)} of ${baseline.signals.length}`],
              ['Queries', formatCount(baseline.queries)],
              ['Created by', baseline.createdBy.name],
            ]}
          />
          {[...baseline.unusable, ...baseline.warnings].map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
        </>
      ) : (
        <p>
          There is no baseline yet, so performance cannot be judged. Take a baseline while the flag is off. Taken before
          you expand the table, it also shows the cost of the trigger.
        </p>
      )}
      {latest?.state === 'failed' && (
        <Alert severity="error" title={`Baseline ${latest.id} failed at ${formatTime(latest.endedAt)}`}>
          {latest.error}
        </Alert>
      )}
      {showComparison && baseline && (
        <BaselineComparisonView environment={environment} rollout={rollout} id={baseline.id} />
      )}
      {(error ?? baselinesPoll.error) && (
        <Alert severity="warning" title="Cannot load the baselines">
          {(error ?? baselinesPoll.error)?.message}
        </Alert>
      )}
      {baselinesPoll.data && baselinesPoll.data.length > 0 && (
        <BaselinesTable baselines={baselinesPoll.data} onExport={exportBaseline} />
      )}
      {importing && (
        <ImportBaseline
          environment={environment}
          rollout={rollout}
          onDone={() => {
            setImporting(false)
            reload()
          }}
          onClose={() => setImporting(false)}
        />
      )}
    </Section>
  )
}

function BaselineBadge({ baseline }: { baseline: BaselineSummary | null }) {
  if (!baseline) return <Badge text="none" color="orange" />
  if (baseline.unusable.length > 0) return <Badge text="not usable" color="red" />
  return baseline.warnings.length > 0 ? (
    <Badge text="with warnings" color="orange" />
  ) : (
    <Badge text="in use" color="green" />
  )
}

const countKnownSignals = ({ signals }: BaselineSummary) => signals.filter(({ mean }) => mean !== null).length
const baselineDuration = ({ startedAt, endedAt }: BaselineSummary) =>
  formatDuration((Date.parse(endedAt) - Date.parse(startedAt)) / 1000)
