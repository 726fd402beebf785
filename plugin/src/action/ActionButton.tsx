import { Button, type ButtonProps } from '@grafana/ui'
import React from 'react'

type Props = Omit<ButtonProps, 'tooltip' | 'disabled' | 'ref' | 'children'> & {
  /** Why not; empty when it is allowed. */
  reasons: readonly string[]
  children: string
}

/**
 * A button when the action is allowed, otherwise a disabled one that says why. With a tooltip Grafana's button stays in
 * the tab order, so that the keyboard and a screen reader reach the reason too.
 */
export function ActionButton({ reasons, children, ...rest }: Props) {
  if (reasons.length === 0) return <Button {...rest}>{children}</Button>
  const { onClick: _, ...disabledProps } = rest
  return (
    <Button
      {...disabledProps}
      variant="secondary"
      disabled
      tooltip={<RefusalTooltip reasons={reasons} />}
      tooltipPlacement="bottom"
    >
      {children}
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
