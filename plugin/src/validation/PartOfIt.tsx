import type { RolloutDetail, Validation } from '@sti-rollout/agent/contract'
import { Alert, Badge } from '@grafana/ui'
import React from 'react'
import { validation } from '../agent/calls'
import type { Environment } from '../agent/useEnvironment'
import { usePolled } from '../agent/usePolled'
import { Section } from '../layout/Section'
import { ago } from '../words/numbers'
import { ChecksTable } from './Checks'
import { VERDICTS } from './verdicts'

/** The newest validation where it was of some layers or checks only: nothing follows from it for the flag. */
export function PartOfIt({ environment, detail }: { environment: Environment; detail: RolloutDetail }) {
  const id = newestPart(detail)
  const asked = usePolled(id === null ? null : `${environment.name}/${detail.rollout}/${id}`, (signal) =>
    validation(environment.agent, detail.rollout, id as number, signal),
  )
  if (id === null) return null
  return (
    <Section title="The last validation was of a part" state={asked.data && <State of={asked.data} />}>
      {asked.error && (
        <Alert severity="warning" title="It cannot be shown">
          {asked.error.message}
        </Alert>
      )}
      <p>Nothing follows from it for the flag, except that a check which failed closes its gate.</p>
      {asked.data && <ChecksTable checks={asked.data.checks} />}
    </Section>
  )
}

/** The newest validation, if it is younger than the one that the page shows. */
export function newestPart({ operations, validation: whole }: Pick<RolloutDetail, 'operations' | 'validation'>) {
  const newest = operations.find(({ kind, state }) => kind === 'validation' && state === 'succeeded')
  const id = Number(newest?.result?.['validation'] ?? NaN)
  return Number.isInteger(id) && whole !== null && id > whole.id ? id : null
}

/** Each layer for itself: the verdict of the whole is about those that the flag needs. */
function State({ of: { layers, endedAt } }: { of: Validation }) {
  return (
    <>
      {layers.map(({ layer, complete, verdict }) => (
        <Badge key={layer} text={`${layer}${complete ? '' : ' in part'}: ${verdict}`} color={VERDICTS[verdict]} />
      ))}
      <span>{endedAt && ago(endedAt)}</span>
    </>
  )
}
