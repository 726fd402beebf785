import { Badge, TextLink } from '@grafana/ui'
import type { RehearsalResult, RolloutDetail } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { Confirmation } from '../action/Confirmation'
import { RefusableButton } from '../action/RefusableButton'
import { why } from '../action/why'
import type { Environment } from '../agent/useEnvironment'
import { to } from '../ids'
import { Pairs } from '../layout/Pairs'
import { Section } from '../layout/Section'
import { WideTable } from '../layout/WideTable'
import { RunningOfKind } from '../operation/RunningOfKind'
import { ago, clock, duration, rows } from '../words/numbers'

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
      <RunningOfKind kind="rehearsal" environment={environment} detail={detail} refresh={refresh} />
      <Section
        title="Rehearsal"
        state={
          <>
            <Badge text={counts ? 'counts' : 'does not count'} color={counts ? 'green' : 'orange'} />
            <span title={clock(succeededAt)}>
              {succeededAt ? `the last ${ago(succeededAt)}` : 'none has ended well'}
            </span>
          </>
        }
        actions={
          <RefusableButton
            size="sm"
            variant="secondary"
            icon="play"
            reasons={why(detail, 'rehearse')}
            onClick={() => setOpen(true)}
          >
            Rehearse
          </RefusableButton>
        }
      >
        {whyNot && <p>{whyNot}</p>}
        <Pairs
          of={[
            ['Each', duration(everySeconds)],
            ['Next', dueAt === null ? 'not by itself' : clock(dueAt)],
            ...(operationId === null
              ? []
              : [
                  [
                    'Operation',
                    <TextLink
                      key={operationId}
                      href={to.operation(environment.name, detail.rollout, operationId)}
                      inline={false}
                    >
                      {`Rehearsal ${operationId}`}
                    </TextLink>,
                  ] as const,
                ]),
            ...(result === null
              ? []
              : [
                  ['Sample', `${rows(result.sampleRows)} of ${rows(result.tableRows)} rows`] as const,
                  ['Checksum', result.checksum] as const,
                ]),
          ]}
        />
        {result && <Steps result={result} />}
      </Section>
      {open && (
        <Confirmation
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

function Steps({ result: { steps, notes } }: { result: RehearsalResult }) {
  return (
    <>
      <details>
        <summary>{`Its ${steps.length} steps`}</summary>
        <WideTable columns={COLUMNS}>
          <tbody>
            {steps.map(({ step, seconds, detail }) => (
              <tr key={step}>
                <td data-column={COLUMNS[0]}>{step}</td>
                <td data-column={COLUMNS[1]}>{duration(seconds)}</td>
                <td data-column={COLUMNS[2]}>{detail}</td>
              </tr>
            ))}
          </tbody>
        </WideTable>
      </details>
      {notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
    </>
  )
}
