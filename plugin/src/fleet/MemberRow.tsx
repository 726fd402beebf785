import { Badge, Checkbox, LinkButton, TextLink } from '@grafana/ui'
import { operationTitle } from '@sti-rollout/agent/contract'
import { formatPercent, formatQuantity } from '@sti-rollout/agent/format'
import React, { memo } from 'react'
import { AutomaticRollbackBadge } from '../action/AutomaticRollbackSwitch'
import { environmentPlace } from '../agent/useEnvironment'
import { formatTime } from '../formatTime'
import { EnvironmentBadge } from '../rollout/EnvironmentBadge'
import { FlagBadge } from '../rollout/FlagBadge'
import type { RolloutRow } from '../rollout/rolloutRows'
import { withAppSubUrl, routes } from '../routes'
import { SmallStepper } from '../stepper/SmallStepper'
import type { FleetMember } from './fleetMember'

export const COLUMNS = [
  'Environment',
  'Rollout',
  'Steps',
  'Flag',
  'Running',
  'Trouble',
  'Automatic rollback',
  'Agents',
] as const

interface Props {
  rollout: string
  member: FleetMember
  /** Null: it cannot be chosen, since it is no member of a fleet. */
  chosen?: boolean | null
  onChoose?: (key: string) => void
}

/** One rollout in one database with its steps in small. */
export const MemberRow = memo(function MemberRow({ rollout, member, chosen = null, onChoose }: Props) {
  const { key, label, environment, production, agents, row, error, failingSince } = member
  const names = agents.map(({ name }) => name).join(', ')
  const first = (
    <td data-column={COLUMNS[0]}>
      <span style={{ display: 'inline-flex', gap: 8, alignItems: 'center' }}>
        {chosen !== null && <Checkbox aria-label={`Choose ${label}`} value={chosen} onChange={() => onChoose?.(key)} />}
        <EnvironmentBadge name={environment ?? label} production={production} />
      </span>
    </td>
  )
  const last = <td data-column={COLUMNS[7]}>{agents.length === 1 ? names : `${agents.length}: ${names}`}</td>
  if (row === null)
    return (
      <tr>
        {first}
        <td data-column={COLUMNS[1]}>{rollout}</td>
        <td colSpan={5}>
          <span>
            <Badge color="red" icon="exclamation-triangle" text="not responding" />{' '}
            {`No response since ${formatTime(failingSince)}. ${error?.message ?? ''}`}
          </span>
        </td>
        {last}
      </tr>
    )
  const place = environmentPlace({ name: row.environment, agent: agents[0] })
  const { running, flag, automaticRollback } = row.summary
  return (
    <tr>
      {first}
      <td data-column={COLUMNS[1]}>
        <TextLink href={routes.rollout(place, rollout)} inline={false}>
          {rollout}
        </TextLink>
      </td>
      <td data-column={COLUMNS[2]}>
        <SmallStepper {...row.summary} />
      </td>
      <td data-column={COLUMNS[3]}>
        <FlagBadge flag={flag} />
      </td>
      <td data-column={COLUMNS[4]}>
        {running ? (
          <TextLink href={routes.operation(place, rollout, running.id)} inline={false}>
            {[
              operationTitle(running),
              running.progress && formatPercent(running.progress.ratio),
              running.state !== 'running' && running.state,
            ]
              .filter(Boolean)
              .join(' · ')}
          </TextLink>
        ) : (
          '–'
        )}
      </td>
      <td data-column={COLUMNS[5]}>
        <Trouble place={place} row={row} />
      </td>
      <td data-column={COLUMNS[6]}>
        <AutomaticRollbackBadge state={automaticRollback} />
      </td>
      {last}
    </tr>
  )
})

function Trouble({ place, row: { summary, error, failingSince } }: { place: string; row: RolloutRow }) {
  const { rollout, openIncidents, faults, failedRows } = summary
  if (error === null && openIncidents === 0 && faults.length === 0 && failedRows === 0) return <>none</>
  return (
    <span>
      {error !== null && (
        <Badge
          color="red"
          icon="exclamation-triangle"
          text={`not responding since ${formatTime(failingSince)}`}
          tooltip={`${error.message} This row is what it answered last.`}
        />
      )}{' '}
      {openIncidents > 0 && (
        <LinkButton
          size="sm"
          variant="destructive"
          fill="outline"
          icon="bell"
          href={withAppSubUrl(routes.incidents(place, rollout))}
        >
          {formatQuantity(openIncidents, 'incident')}
        </LinkButton>
      )}{' '}
      {faults.length > 0 && <Badge color="red" text="invalid" icon="exclamation-triangle" tooltip={faults.join(' ')} />}{' '}
      {failedRows > 0 && <Badge color="orange" text={formatQuantity(failedRows, 'failed row')} />}
    </span>
  )
}
