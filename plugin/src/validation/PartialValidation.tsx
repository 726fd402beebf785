import type { RolloutDetail, Validation } from '@sti-rollout/agent/contract'
import { formatAgo } from '@sti-rollout/agent/format'
import { Alert, Badge } from '@grafana/ui'
import React from 'react'
import { getValidation } from '../agent/rolloutCalls'
import type { Environment } from '../agent/useEnvironment'
import { useSlowPolling } from '../agent/usePolling'
import { Section } from '../layout/Section'
import { ChecksTable } from './LayerChecks'
import { VERDICT_COLORS } from './verdicts'

/** The newest validation if it covered only some layers or checks, and so does not count for the flag. */
export function PartialValidation({ environment, detail }: { environment: Environment; detail: RolloutDetail }) {
  const id = newestPartialValidation(detail)
  const validationPoll = useSlowPolling(id === null ? null : `${environment.name}/${detail.rollout}/${id}`, (signal) =>
    getValidation(environment.agent, detail.rollout, id as number, signal),
  )
  if (id === null) return null
  return (
    <Section
      title="Latest partial validation"
      state={validationPoll.data && <LayerVerdicts validation={validationPoll.data} />}
    >
      {validationPoll.error && (
        <Alert severity="warning" title="Cannot load the partial validation">
          {validationPoll.error.message}
        </Alert>
      )}
      <p>A partial validation does not count for the flag, except that a failed check blocks it.</p>
      {validationPoll.data && <ChecksTable checks={validationPoll.data.checks} />}
    </Section>
  )
}

/** The id of the newest validation if it is newer than the latest full validation, or null. */
export function newestPartialValidation({
  operations,
  validation: fullValidation,
}: Pick<RolloutDetail, 'operations' | 'validation'>) {
  const newest = operations.find(({ kind, state }) => kind === 'validation' && state === 'succeeded')
  const id = Number(newest?.result?.['validation'] ?? NaN)
  return Number.isInteger(id) && fullValidation !== null && id > fullValidation.id ? id : null
}

/** The verdict of each layer; the verdict of the validation only covers the layers that the flag requires. */
function LayerVerdicts({ validation: { layers, endedAt } }: { validation: Validation }) {
  return (
    <>
      {layers.map(({ layer, complete, verdict }) => (
        <Badge
          key={layer}
          text={`${layer}${complete ? '' : ' (partial)'}: ${verdict}`}
          color={VERDICT_COLORS[verdict]}
        />
      ))}
      <span>{endedAt && formatAgo(endedAt)}</span>
    </>
  )
}
