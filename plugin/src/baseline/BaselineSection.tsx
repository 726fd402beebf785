import { Alert, Badge, Button } from '@grafana/ui'
import type { BaselineSummary, RolloutDetail } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { Confirmation } from '../action/Confirmation'
import { RefusableButton } from '../action/RefusableButton'
import { why } from '../action/why'
import { type AgentError, toAgentError } from '../agent/AgentError'
import { baseline as askBaseline, baselines } from '../agent/baselineCalls'
import type { Environment } from '../agent/useEnvironment'
import { usePolled } from '../agent/usePolled'
import { download, fileName } from '../evidence/download'
import { Pairs } from '../layout/Pairs'
import { Section } from '../layout/Section'
import { ago, clock, duration, rows } from '../words/numbers'
import { BaselinesTable } from './BaselinesTable'
import { Comparison } from './Comparison'
import { ImportBaseline } from './ImportBaseline'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/** What performance is judged by: the newest baseline of this environment, and how to take, keep and compare it. */
export function BaselineSection({ environment, detail, refresh }: Props) {
  const [open, setOpen] = useState<'capture' | 'import' | null>(null)
  const [compared, setCompared] = useState(false)
  const [error, setError] = useState<AgentError | null>(null)
  const { rollout, baseline } = detail
  const asked = usePolled(`${environment.name}/${rollout}/${baseline?.id ?? 0}`, (signal) =>
    baselines(environment.agent, rollout, signal),
  )
  const save = ({ id }: BaselineSummary) => {
    setError(null)
    askBaseline(environment.agent, rollout, id)
      .then(({ content }) =>
        download(
          JSON.stringify(content, null, 2),
          'application/json',
          fileName(`baseline-${id}`, rollout, environment.name, 'json'),
        ),
      )
      .catch((thrown: unknown) => setError(toAgentError(thrown, environment.agent.name, 0)))
  }
  const last = detail.operations.find(({ kind }) => kind === 'baseline')
  const done = () => {
    setOpen(null)
    refresh()
    asked.refresh()
  }
  return (
    <Section
      title="Baseline"
      state={<State baseline={baseline} />}
      actions={
        <>
          <RefusableButton
            size="sm"
            variant="secondary"
            icon="record-audio"
            reasons={why(detail, 'baseline')}
            onClick={() => setOpen('capture')}
          >
            Take
          </RefusableButton>
          <RefusableButton
            size="sm"
            variant="secondary"
            icon="upload"
            reasons={why(detail, 'import-baseline')}
            onClick={() => setOpen('import')}
          >
            Import
          </RefusableButton>
          {baseline && (
            <Button
              size="sm"
              variant="secondary"
              icon="arrows-h"
              aria-expanded={compared}
              onClick={() => setCompared(!compared)}
            >
              {compared ? 'Hide the comparison' : 'Compare with now'}
            </Button>
          )}
        </>
      }
    >
      {baseline ? (
        <>
          <Pairs
            of={[
              ['Number', baseline.id],
              ['Release', baseline.release ?? '–'],
              ['Taken', `${baseline.source}, over ${length(baseline)}`],
              ['Ended', `${clock(baseline.endedAt)}, ${ago(baseline.endedAt)}`],
              ['Signals known', `${known(baseline)} of ${baseline.signals.length}`],
              ['Queries', rows(baseline.queries)],
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
        <Alert severity="error" title={`Baseline ${last.id} could not be taken, ${clock(last.endedAt)}`}>
          {last.error}
        </Alert>
      )}
      {compared && baseline && <Comparison environment={environment} rollout={rollout} id={baseline.id} />}
      {(error ?? asked.error) && (
        <Alert severity="warning" title="Baselines cannot be shown">
          {(error ?? asked.error)?.message}
        </Alert>
      )}
      {asked.data && asked.data.length > 0 && <BaselinesTable baselines={asked.data} onExport={save} />}
      {open === 'capture' && (
        <Confirmation
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

function State({ baseline }: { baseline: BaselineSummary | null }) {
  if (!baseline) return <Badge text="none" color="orange" />
  if (baseline.unusable.length > 0) return <Badge text="cannot be used" color="red" />
  return baseline.warnings.length > 0 ? (
    <Badge text="with warnings" color="orange" />
  ) : (
    <Badge text="is used" color="green" />
  )
}

const known = ({ signals }: BaselineSummary) => signals.filter(({ mean }) => mean !== null).length
const length = ({ startedAt, endedAt }: BaselineSummary) =>
  duration((Date.parse(endedAt) - Date.parse(startedAt)) / 1000)
