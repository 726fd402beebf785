import { Alert, Badge, Button } from '@grafana/ui'
import type { BaselineSummary, RolloutDetail } from '@sti-rollout/agent/contract'
import { formatAgo, formatCount, formatDuration } from '@sti-rollout/agent/format'
import React, { useState } from 'react'
import { OperationConfirmation } from '../action/OperationConfirmation'
import { ActionButton } from '../action/ActionButton'
import { refusalReasons } from '../action/refusalReasons'
import { type AgentError, toAgentError } from '../agent/AgentError'
import { getBaseline as askBaseline, listBaselines } from '../agent/baselineCalls'
import type { Environment } from '../agent/useEnvironment'
import { usePolling } from '../agent/usePolling'
import { downloadFile, downloadFileName } from '../evidence/download'
import { DefinitionList } from '../layout/DefinitionList'
import { Section } from '../layout/Section'
import { formatTime } from '../formatTime'
import { BaselinesTable } from './BaselinesTable'
import { BaselineComparisonView } from './BaselineComparisonView'
import { ImportBaseline } from './ImportBaseline'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/** What performance is judged by: the newest baseline of this environment, and how to take, keep and compare it. */
export function BaselineSection({ environment, detail, refresh }: Props) {
  const [open, setOpen] = useState<'capture' | 'import' | null>(null)
  const [showComparison, setCompared] = useState(false)
  const [error, setError] = useState<AgentError | null>(null)
  const { rollout, baseline } = detail
  const baselinesPoll = usePolling(`${environment.name}/${rollout}/${baseline?.id ?? 0}`, (signal) =>
    listBaselines(environment.agent, rollout, signal),
  )
  const exportBaseline = ({ id }: BaselineSummary) => {
    setError(null)
    askBaseline(environment.agent, rollout, id)
      .then(({ content }) =>
        downloadFile(
          JSON.stringify(content, null, 2),
          'application/json',
          downloadFileName(`baseline-${id}`, rollout, environment.name, 'json'),
        ),
      )
      .catch((thrown: unknown) => setError(toAgentError(thrown, environment.agent.name, 0)))
  }
  const last = detail.operations.find(({ kind }) => kind === 'baseline')
  const done = () => {
    setOpen(null)
    refresh()
    baselinesPoll.refresh()
  }
  return (
    <Section
      title="Baseline"
      state={<BaselineBadge baseline={baseline} />}
      actions={
        <>
          <ActionButton
            size="sm"
            variant="secondary"
            icon="record-audio"
            reasons={refusalReasons(detail, 'baseline')}
            onClick={() => setOpen('capture')}
          >
            Take
          </ActionButton>
          <ActionButton
            size="sm"
            variant="secondary"
            icon="upload"
            reasons={refusalReasons(detail, 'import-baseline')}
            onClick={() => setOpen('import')}
          >
            Import
          </ActionButton>
          {baseline && (
            <Button
              size="sm"
              variant="secondary"
              icon="arrows-h"
              aria-expanded={showComparison}
              onClick={() => setCompared(!showComparison)}
            >
              {showComparison ? 'Hide the comparison' : 'Compare with now'}
            </Button>
          )}
        </>
      }
    >
      {baseline ? (
        <>
          <DefinitionList
            of={[
              ['Number', baseline.id],
              ['Release', baseline.release ?? '–'],
              ['Taken', `${baseline.source}, over ${baselineDuration(baseline)}`],
              ['Ended', `${formatTime(baseline.endedAt)}, ${formatAgo(baseline.endedAt)}`],
              ['Signals known', `${countKnownSignals(baseline)} of ${baseline.signals.length}`],
              ['Queries', formatCount(baseline.queries)],
              ['By', baseline.createdBy.name],
            ]}
          />
          {[...baseline.unusable, ...baseline.warnings].map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
        </>
      ) : (
        <p>None has been taken yet, so nothing can be said of performance. Take one before “Expand”.</p>
      )}
      {last?.state === 'failed' && (
        <Alert severity="error" title={`Baseline ${last.id} could not be taken, ${formatTime(last.endedAt)}`}>
          {last.error}
        </Alert>
      )}
      {showComparison && baseline && (
        <BaselineComparisonView environment={environment} rollout={rollout} id={baseline.id} />
      )}
      {(error ?? baselinesPoll.error) && (
        <Alert severity="warning" title="Baselines cannot be shown">
          {(error ?? baselinesPoll.error)?.message}
        </Alert>
      )}
      {baselinesPoll.data && baselinesPoll.data.length > 0 && (
        <BaselinesTable baselines={baselinesPoll.data} onExport={exportBaseline} />
      )}
      {open === 'capture' && (
        <OperationConfirmation
          start="baseline"
          environment={environment}
          rollout={rollout}
          onDone={done}
          onClose={() => setOpen(null)}
        />
      )}
      {open === 'import' && (
        <ImportBaseline environment={environment} rollout={rollout} onDone={done} onClose={() => setOpen(null)} />
      )}
    </Section>
  )
}

function BaselineBadge({ baseline }: { baseline: BaselineSummary | null }) {
  if (!baseline) return <Badge text="none" color="orange" />
  if (baseline.unusable.length > 0) return <Badge text="cannot be used" color="red" />
  return baseline.warnings.length > 0 ? (
    <Badge text="with warnings" color="orange" />
  ) : (
    <Badge text="is used" color="green" />
  )
}

const countKnownSignals = ({ signals }: BaselineSummary) => signals.filter(({ mean }) => mean !== null).length
const baselineDuration = ({ startedAt, endedAt }: BaselineSummary) =>
  formatDuration((Date.parse(endedAt) - Date.parse(startedAt)) / 1000)
