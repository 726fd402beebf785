import React from 'react'
import { BulletList } from './BulletList'

/** One reason as a text, several as a list. */
export function ReasonList({ reasons }: { reasons: readonly string[] }) {
  if (reasons.length === 1) return <>{reasons[0]}</>
  return (
    <BulletList>
      {reasons.map((reason) => (
        <li key={reason}>{reason}</li>
      ))}
    </BulletList>
  )
}
