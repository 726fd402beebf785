import type { Incident } from '@sti-rollout/agent/contract'
import React from 'react'
import { formatTime } from '../formatTime'
import { SOURCE_LABELS } from './display'
import { BulletList } from '../layout/BulletList'

/** The other changes whose alerts joined an incident, each with its own summary. Nothing if there are none. */
export function JoinedChanges({ joined }: Pick<Incident, 'joined'>) {
  if (joined.length === 0) return null
  return (
    <section aria-label="Other changes">
      <p>Alerts for other changes joined this incident:</p>
      <BulletList>
        {joined.map(({ change, summary, source, firstSeenAt, seenAt, times }) => (
          <li key={change}>
            <strong>{change}</strong>
            {`: ${summary} (${SOURCE_LABELS[source]}, ${times === 1 ? formatTime(firstSeenAt) : `${times} alerts from ${formatTime(firstSeenAt)} to ${formatTime(seenAt)}`})`}
          </li>
        ))}
      </BulletList>
    </section>
  )
}
