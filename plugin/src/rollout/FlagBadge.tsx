import { Badge } from '@grafana/ui'
import type { FlagStatus } from '@sti-rollout/agent/contract'
import React from 'react'
import { flagWarning, formatFlagState } from './display'

/** The state of the flag, and a warning if a client may still use an older one. */
export function FlagBadge({ flag }: { flag: FlagStatus }) {
  const warning = flagWarning(flag)
  const text = `Flag ${formatFlagState(flag)}${flag.persisted ? '' : ' in memory only'}`
  return warning === null ? (
    <Badge text={text} color={flag.enabled ? 'purple' : 'blue'} icon={flag.enabled ? 'toggle-on' : 'toggle-off'} />
  ) : (
    <Badge text={text} color="orange" icon="exclamation-triangle" tooltip={warning} />
  )
}
