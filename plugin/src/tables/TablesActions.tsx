import { Stack } from '@grafana/ui'
import { type Group, ROW_LAYERS } from '@sti-rollout/agent/contract'
import React from 'react'
import { OperationButton } from '../action/OperationButton'
import { OperationMenu } from '../action/OperationMenu'
import type { Environment } from '../agent/useEnvironment'
import { FORWARD_ACTIONS_OF_TABLES, nextActionOfTables } from './nextAction'

interface Props {
  environment: Environment
  group: Group
  refresh: () => void
}

/** The rollback of the one flag while it is on, and everything else that reverts something. */
export function TablesRollback({ environment, group, refresh }: Props) {
  const common = { environment, detail: group, onStarted: refresh }
  return (
    <div role="toolbar" aria-label={`Rollback of ${group.rollout} in ${environment.name}`}>
      <Stack direction="row" wrap="wrap" alignItems="center" gap={1}>
        {group.flag.enabled && <OperationButton {...common} action="rollback-flag" variant="destructive" size="md" />}
        <OperationMenu {...common} label="More" size="md" actions={['rollback-data', 'rollback-system']} />
      </Stack>
    </div>
  )
}

/** Every step, with the next one of the table that is furthest behind as the primary button. */
export function TablesSteps({ environment, group, refresh }: Props) {
  const next = nextActionOfTables(group)
  return (
    <Stack direction="row" wrap="wrap" gap={1}>
      {FORWARD_ACTIONS_OF_TABLES.map((action) => (
        <OperationButton
          key={action}
          action={action}
          variant={action === next ? 'primary' : 'secondary'}
          environment={environment}
          detail={group}
          layers={ROW_LAYERS}
          onStarted={refresh}
        />
      ))}
    </Stack>
  )
}
