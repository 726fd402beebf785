import type { RolloutDetail, Validation } from '@sti-rollout/agent/contract'
import { formatAgo } from '@sti-rollout/agent/format'
import { Alert, Badge } from '@grafana/ui'
import React from 'react'
import { getValidation } from '../agent/rolloutCalls'
import type { Environment } from '../agent/useEnvironment'
import { usePolling } from '../agent/usePolling'
import { Section } from '../layout/Section'
import { ChecksTable } from './LayerChecks'
import { VERDICT_COLORS } from './verdicts'

/** The newest validation where it was of some layers or checks only: nothing follows from it for the flag. */
export function PartialValidation({ environment, detail }: { environment: Environment; detail: RolloutDetail }) {
  const id = newestPartialValidation(detail)
  const validationPoll = usePolling(id === null ? null : `${environment.name}/${detail.rollout}/${id}`, (signal) =>
    getValidation(environment.agent, detail.rollout, id as number, signal),
  )
  if (id === null) return null
  return (
    <Section
      title="The last validation was of a part"
      state={validationPoll.data && <LayerVerdicts of={validationPoll.data} />}
    >
      {validationPoll.error && (
        <Alert severity="warning" title="It cannot be shown">
          {validationPoll.error.message}
        </Alert>
      )}
      <p>Nothing follows from it for the flag, except that a check which failed closes its gate.</p>
      {validationPoll.data && <ChecksTable checks={validationPoll.data.checks} />}
    </Section>
  )
}

/** The newest validation, if it is younger than the one that the page shows. */
export function newestPartialValidation({
  operations,
  validation: fullValidation,
}: Pick<RolloutDetail, 'operations' | 'validation'>) {
  const newest = operations.find(({ kind, state }) => kind === 'validation' && state === 'succeeded')
  const id = Number(newest?.result?.['validation'] ?? NaN)
  return Number.isInteger(id) && fullValidation !== null && id > fullValidation.id ? id : null
}

/** Each layer for itself: the verdict of the whole is about those that the flag needs. */
function LayerVerdicts({ of: { layers, endedAt } }: { of: Validation }) {
  return (
    <>
      {layers.map(({ layer, complete, verdict }) => (
        <Badge key={layer} text={`${layer}${complete ? '' : ' in part'}: ${verdict}`} color={VERDICT_COLORS[verdict]} />
      ))}
      <span>{endedAt && formatAgo(endedAt)}</span>
    </>
  )
}
