import type { RolloutDetail } from '@sti-rollout/agent/contract'
import { Stack } from '@grafana/ui'
import React from 'react'
import { AutomaticRollbackSwitch } from '../action/AutomaticRollbackSwitch'
import { OperationButton } from '../action/OperationButton'
import { OperationMenu } from '../action/OperationMenu'
import { DANGEROUS_ACTIONS } from '../action/actionCatalog'
import type { Environment } from '../agent/useEnvironment'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/**
 * The state of automatic rollback, the rollback of the flag while it is on, and everything else that reverts something. After
 * the column drop the flag is no way back: old code would read columns that do not exist.
 */
export function RolloutHeaderActions({ environment, detail, refresh }: Props) {
  const common = { environment, detail, onStarted: refresh }
  const { flag, stage } = detail
  const listed = DANGEROUS_ACTIONS.filter((action) => action !== 'disable' || flag.enabled)
  const listsRollback = flag.enabled && stage === 'dropped'
  return (
    <div role="toolbar" aria-label={`Rollback of ${detail.rollout} in ${environment.name}`}>
      <Stack direction="row" wrap="wrap" alignItems="center" gap={1}>
        <AutomaticRollbackSwitch environment={environment} detail={detail} refresh={refresh} />
        {flag.enabled && !listsRollback && (
          <OperationButton {...common} action="rollback-flag" variant="destructive" size="md" />
        )}
        <OperationMenu
          {...common}
          label="More"
          size="md"
          actions={listsRollback ? ['rollback-flag', ...listed] : listed}
        />
      </Stack>
    </div>
  )
}
