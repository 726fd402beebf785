import { Badge, TextLink } from '@grafana/ui'
import type { RehearsalResult, RolloutDetail } from '@sti-rollout/agent/contract'
import { formatAgo, formatCount, formatDuration } from '@sti-rollout/agent/format'
import React, { useState } from 'react'
import { OperationConfirmation } from '../action/OperationConfirmation'
import { ActionButton } from '../action/ActionButton'
import { refusalReasons } from '../action/refusalReasons'
import type { Environment } from '../agent/useEnvironment'
import { routes } from '../routes'
import { DefinitionList } from '../layout/DefinitionList'
import { Section } from '../layout/Section'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { RunningOperationSection } from '../operation/RunningOperationSection'
import { formatTime } from '../formatTime'

const COLUMNS = ['Step', 'Took', 'What it showed'] as const

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/** The last rehearsal: whether it counts, what it proved, when the next one starts; and a button that runs one. */
export function RehearsalSection({ environment, detail, refresh }: Props) {
  const [open, setOpen] = useState(false)
  const { operationId, succeededAt, counts, why: whyNot, dueAt, everySeconds, result } = detail.rehearsal
  return (
    <>
      <RunningOperationSection kind="rehearsal" environment={environment} detail={detail} refresh={refresh} />
      <Section
        title="Rehearsal"
        state={
          <>
            <Badge text={counts ? 'counts' : 'does not count'} color={counts ? 'green' : 'orange'} />
            <span title={formatTime(succeededAt)}>
              {succeededAt ? `the last ${formatAgo(succeededAt)}` : 'none has ended well'}
            </span>
          </>
        }
        actions={
          <ActionButton
            size="sm"
            variant="secondary"
            icon="play"
            reasons={refusalReasons(detail, 'rehearse')}
            onClick={() => setOpen(true)}
          >
            Rehearse
          </ActionButton>
        }
      >
        {whyNot && <p>{whyNot}</p>}
        <DefinitionList
          of={[
            ['Each', formatDuration(everySeconds)],
            ['Next', dueAt === null ? 'not by itself' : formatTime(dueAt)],
            ...(operationId === null
              ? []
              : [
                  [
                    'Operation',
                    <TextLink
                      key={operationId}
                      href={routes.operation(environment.name, detail.rollout, operationId)}
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
      {open && (
        <OperationConfirmation
          start="rehearse"
          environment={environment}
          rollout={detail.rollout}
          onClose={() => setOpen(false)}
          onDone={refresh}
        />
      )}
    </>
  )
}

function RehearsalSteps({ result: { steps, notes } }: { result: RehearsalResult }) {
  return (
    <>
      <details>
        <summary>{`Its ${steps.length} steps`}</summary>
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
