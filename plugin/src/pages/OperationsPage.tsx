import { isEnded } from '@sti-rollout/agent/contract'
import React from 'react'
import { Section } from '../layout/Section'
import { OperationsTable } from '../operation/OperationsTable'
import { RunningOperation } from '../operation/RunningOperation'
import { useRolloutContext } from '../rollout/rolloutContext'

/** The latest operations of a rollout; those that have not ended come first, with their controls. */
export function OperationsPage() {
  const { name, environment, detail, refresh } = useRolloutContext()
  if (!environment || !detail) return null
  return (
    <>
      {detail.operations
        .filter(({ state }) => !isEnded(state))
        .map((operation) => (
          <RunningOperation
            key={operation.id}
            environment={environment}
            operation={operation}
            actions={detail.actions}
            onChanged={refresh}
          />
        ))}
      <Section title="Operations">
        <p>The last 20, newest first. The data source “STI Rollout agent” has the events of all of them.</p>
        <OperationsTable environment={name} operations={detail.operations} />
      </Section>
    </>
  )
}
