import { Badge, TextLink } from '@grafana/ui'
import type { RehearsalResult, RolloutDetail } from '@sti-rollout/agent/contract'
import { formatAgo, formatCount, formatDuration, formatQuantity } from '@sti-rollout/agent/format'
import React from 'react'
import { OperationButton } from '../action/OperationButton'
import { type Environment, environmentPlace } from '../agent/useEnvironment'
import { routes } from '../routes'
import { DefinitionList } from '../layout/DefinitionList'
import { Section } from '../layout/Section'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { RunningOperationSection } from '../operation/RunningOperationSection'
import { formatTime } from '../formatTime'

const COLUMNS = ['Step', 'Duration', 'Result'] as const

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/** The latest rehearsal: its validity, its results, when the next one starts, and a button that runs one. */
export function RehearsalSection({ environment, detail, refresh }: Props) {
  const { operationId, succeededAt, counts, why: invalidReason, dueAt, everySeconds, result } = detail.rehearsal
  return (
    <>
      <RunningOperationSection kind="rehearsal" environment={environment} detail={detail} refresh={refresh} />
      <Section
        title="Rehearsal"
        state={
          <>
            <Badge text={counts ? 'valid' : 'not valid'} color={counts ? 'green' : 'orange'} />
            <span title={formatTime(succeededAt)}>
              {succeededAt ? `last passed ${formatAgo(succeededAt)}` : 'never passed'}
            </span>
          </>
        }
        actions={<OperationButton action="rehearse" environment={environment} detail={detail} onStarted={refresh} />}
      >
        {invalidReason && <p>{invalidReason}</p>}
        <DefinitionList
          items={[
            ['Interval', formatDuration(everySeconds)],
            ['Next', dueAt === null ? 'not scheduled' : formatTime(dueAt)],
            ...(operationId === null
              ? []
              : [
                  [
                    'Operation',
                    <TextLink
                      key={operationId}
                      href={routes.operation(environmentPlace(environment), detail.rollout, operationId)}
                      inline={false}
                    >
                      {`Rehearsal ${operationId}`}
                    </TextLink>,
                  ] as const,
                ]),
            ...(result === null
              ? []
              : [
                  ['Sample', `${formatCount(result.sampleRows)} of ${formatCount(result.tableRows)} rows`] as const,
                  ['Checksum', result.checksum] as const,
                ]),
          ]}
        />
        {result && <RehearsalSteps result={result} />}
      </Section>
    </>
  )
}

function RehearsalSteps({ result: { steps, notes } }: { result: RehearsalResult }) {
  return (
    <>
      <details>
        <summary>{formatQuantity(steps.length, 'step')}</summary>
        <ResponsiveTable columns={COLUMNS}>
          <tbody>
            {steps.map(({ step, seconds, detail }) => (
              <tr key={step}>
                <td data-column={COLUMNS[0]}>{step}</td>
                <td data-column={COLUMNS[1]}>{formatDuration(seconds)}</td>
                <td data-column={COLUMNS[2]}>{detail}</td>
              </tr>
            ))}
          </tbody>
        </ResponsiveTable>
      </details>
      {notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
    </>
  )
}
