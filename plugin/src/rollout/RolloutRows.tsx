import { Badge, LinkButton, TextLink } from '@grafana/ui'
import { operationTitle } from '@sti-rollout/agent/contract'
import { formatPercent, formatQuantity } from '@sti-rollout/agent/format'
import React, { memo } from 'react'
import { AutomaticRollbackBadge } from '../action/AutomaticRollbackSwitch'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { withAppSubUrl, routes } from '../routes'
import { SmallStepper } from '../stepper/SmallStepper'
import { EnvironmentBadge } from './EnvironmentBadge'
import { FlagBadge } from './FlagBadge'
import type { RolloutRow } from './rolloutRows'

const COLUMNS = [
  'Environment',
  'Rollout',
  'Steps',
  'Flag',
  'Running',
  'Trouble',
  'Automatic rollback',
  'Agents',
] as const

/** The rollouts as rows, each with its steps in small. */
export function RolloutRows({ rows }: { rows: readonly RolloutRow[] }) {
  return (
    <ResponsiveTable columns={COLUMNS}>
      <tbody>
        {rows.map((row) => (
          <Row key={`${row.environment}/${row.summary.rollout}`} row={row} />
        ))}
      </tbody>
    </ResponsiveTable>
  )
}

const Row = memo(function Row({ row: { environment, production, summary, agents } }: { row: RolloutRow }) {
  const { rollout, running, flag, automaticRollback } = summary
  return (
    <tr>
      <td data-column={COLUMNS[0]}>
        <EnvironmentBadge name={environment} production={production} />
      </td>
      <td data-column={COLUMNS[1]}>
        <TextLink href={routes.rollout(environment, rollout)} inline={false}>
          {rollout}
        </TextLink>
      </td>
      <td data-column={COLUMNS[2]}>
        <SmallStepper {...summary} />
      </td>
      <td data-column={COLUMNS[3]}>
        <FlagBadge flag={flag} />
      </td>
      <td data-column={COLUMNS[4]}>
        {running ? (
          <TextLink href={routes.operation(environment, rollout, running.id)} inline={false}>
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
        <Trouble environment={environment} summary={summary} />
      </td>
      <td data-column={COLUMNS[6]}>
        <AutomaticRollbackBadge state={automaticRollback} />
      </td>
      <td data-column={COLUMNS[7]}>{agents.length === 1 ? agents[0] : `${agents.length}: ${agents.join(', ')}`}</td>
    </tr>
  )
})

function Trouble({ environment, summary }: { environment: string; summary: RolloutRow['summary'] }) {
  const { rollout, openIncidents, faults, failedRows } = summary
  if (openIncidents === 0 && faults.length === 0 && failedRows === 0) return <>none</>
  return (
    <span>
      {openIncidents > 0 && (
        <LinkButton
          size="sm"
          variant="destructive"
          fill="outline"
          icon="bell"
          href={withAppSubUrl(routes.incidents(environment, rollout))}
        >
          {formatQuantity(openIncidents, 'incident')}
        </LinkButton>
      )}{' '}
      {faults.length > 0 && <Badge color="red" text="invalid" icon="exclamation-triangle" tooltip={faults.join(' ')} />}{' '}
      {failedRows > 0 && <Badge color="orange" text={formatQuantity(failedRows, 'failed row')} />}
    </span>
  )
}
