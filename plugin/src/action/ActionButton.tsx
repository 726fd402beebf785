import { Button, type ButtonProps } from '@grafana/ui'
import type { Action } from '@sti-rollout/agent/contract'
import React from 'react'
import { ACTIONS } from './actionCatalog'

type Props = Omit<ButtonProps, 'tooltip' | 'disabled' | 'ref' | 'children'> & {
  action: Action
  /** Why the action is not allowed; empty if it is allowed. */
  reasons: readonly string[]
  /** Replaces the label of the catalog. */
  label?: string
}

/**
 * The button of an action, as the catalog shows it. It is disabled with the reasons if the action is not allowed: with a
 * tooltip Grafana's button stays in the tab order, so that the keyboard and a screen reader reach the reasons.
 */
export function ActionButton({ action, reasons, label = ACTIONS[action].label, onClick, ...props }: Props) {
  const { icon, destructive } = ACTIONS[action]
  const button = { size: 'sm', icon, ...props } as const
  if (reasons.length === 0)
    return (
      <Button variant={destructive ? 'destructive' : 'secondary'} {...button} onClick={onClick}>
        {label}
      </Button>
    )
  return (
    <Button
      {...button}
      variant="secondary"
      disabled
      tooltip={<RefusalTooltip reasons={reasons} />}
      tooltipPlacement="bottom"
    >
      {label}
    </Button>
  )
}

function RefusalTooltip({ reasons }: { reasons: readonly string[] }) {
  if (reasons.length === 1) return <>{reasons[0]}</>
  return (
    <ul style={{ margin: 0, paddingInlineStart: '1.2em' }}>
      {reasons.map((reason) => (
        <li key={reason}>{reason}</li>
      ))}
    </ul>
  )
}
