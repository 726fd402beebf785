import { Button, type ButtonProps } from '@grafana/ui'
import type { Action } from '@sti-rollout/agent/contract'
import React from 'react'
import { ACTIONS } from './actionCatalog'
import { ReasonList } from '../layout/ReasonList'

type RefusableProps = Omit<ButtonProps, 'tooltip' | 'disabled' | 'ref'> & {
  /** Why it is not allowed; empty if it is allowed. */
  reasons: readonly string[]
}

type Props = Omit<RefusableProps, 'children'> & {
  action: Action
  /** Replaces the label of the catalog. */
  label?: string
}

/** The button of an action, as the catalog shows it. */
export function ActionButton({ action, label = ACTIONS[action].label, ...props }: Props) {
  const { icon, destructive } = ACTIONS[action]
  return (
    <RefusableButton icon={icon} variant={destructive ? 'destructive' : 'secondary'} {...props}>
      {label}
    </RefusableButton>
  )
}

/**
 * A button that is disabled with the reasons if what it does is not allowed: with a tooltip Grafana's button stays in the
 * tab order, so that the keyboard and a screen reader reach the reasons.
 */
export function RefusableButton({ reasons, onClick, children, ...props }: RefusableProps) {
  if (reasons.length === 0)
    return (
      <Button size="sm" {...props} onClick={onClick}>
        {children}
      </Button>
    )
  return (
    <Button
      size="sm"
      {...props}
      variant="secondary"
      disabled
      tooltip={<ReasonList reasons={reasons} />}
      tooltipPlacement="bottom"
    >
      {children}
    </Button>
  )
}
