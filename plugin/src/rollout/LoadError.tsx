import { Alert } from '@grafana/ui'
import React from 'react'
import type { PollingResult } from '../agent/usePolling'
import { formatTime } from '../formatTime'

/** A part of a page that cannot be loaded; a missing agent is reported once, above the tabs. */
export function LoadError({
  what,
  poll: { error, failingSince, data },
}: {
  what: string
  poll: PollingResult<unknown>
}) {
  if (!error || error.unreachable) return null
  return (
    <Alert severity="warning" title={`Cannot load ${what} since ${formatTime(failingSince)}`}>
      {error.message}
      {data !== null && ' The last known state is shown.'}
    </Alert>
  )
}
