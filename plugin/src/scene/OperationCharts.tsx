import type { Operation } from '@sti-rollout/agent/contract'
import React, { useMemo } from 'react'
import { getAgentDataSource } from '../agent/agentDataSources'
import { operationScene } from './operationScene'

interface Props {
  uid: string
  environment: string
  operation: Operation
}

/** Rate and batches of a backfill; built once for its start, and once more when it has ended. */
export function OperationCharts({ uid, environment, operation }: Props) {
  const { id, startedAt, endedAt } = operation
  const scene = useMemo(
    () => operationScene(getAgentDataSource(uid), environment, operation),
    // Progress alone does not change the charts' time range.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [uid, environment, id, startedAt, endedAt],
  )
  return scene && <scene.Component model={scene} />
}
