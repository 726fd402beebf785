import { Alert } from '@grafana/ui'
import type { Incident } from '@sti-rollout/agent/contract'
import { formatQuantity } from '@sti-rollout/agent/format'
import React from 'react'
import { acknowledgementTimer } from './display'
import { BulletList } from '../layout/BulletList'

interface Props {
  incidents: readonly Incident[]
  /** Milliseconds since 1970. */
  now: number
}

/** Information that nobody has seen yet. Nobody is paged for it. */
export const isUnseen = ({ severity, state }: Incident): boolean => severity === 'info' && state === 'open'

/** The information that nobody has seen yet, each with the time left of its hour. Nothing if all was seen. */
export function UnseenInformation({ incidents, now }: Props) {
  const unseen = incidents.filter(isUnseen)
  if (unseen.length === 0) return null
  return (
    <Alert severity="info" title={`${formatQuantity(unseen.length, 'unseen notice')} (nobody is paged)`}>
      <BulletList aria-label="Unseen information">
        {unseen.map((incident) => (
          <li key={incident.id}>{`${incident.summary}: ${acknowledgementTimer(incident, now).text}`}</li>
        ))}
      </BulletList>
    </Alert>
  )
}
