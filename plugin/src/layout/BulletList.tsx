import React, { type AriaAttributes, type PropsWithChildren } from 'react'

type Props = PropsWithChildren<Pick<AriaAttributes, 'aria-label' | 'aria-live'>>

/** A list whose bullets are within its box: Grafana gives lists no padding. */
export function BulletList({ children, ...aria }: Props) {
  return (
    <ul {...aria} style={{ margin: 0, paddingInlineStart: '1.2em' }}>
      {children}
    </ul>
  )
}
