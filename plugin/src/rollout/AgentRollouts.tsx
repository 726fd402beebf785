import { Badge, LinkButton, TextLink, Tooltip } from '@grafana/ui'
import { operationTitle, type AgentStatus, type RolloutSummary, type ScopeReadiness } from '@sti-rollout/agent/contract'
import { formatCount, formatPercent, formatValue } from '@sti-rollout/agent/format'
import React from 'react'
import { AutomaticRollbackBadge } from '../action/AutomaticRollbackSwitch'
import type { AgentDataSource } from '../agent/agentDataSources'
import { listRollouts } from '../agent/rolloutCalls'
import { identifyAgent } from '../agent/useEnvironment'
import { IDLE_POLL_INTERVAL_MS, ACTIVE_POLL_INTERVAL_MS, usePolling } from '../agent/usePolling'
import { withAppSubUrl, routes } from '../routes'
import { AgentStatusRow } from './AgentStatusRow'
import { EnvironmentBadge } from './EnvironmentBadge'
import { flagWarning, formatFlagState, STAGE_DISPLAY } from './display'

export const COLUMNS = [
  'Environment',
  'Rollout',
  'Stage',
  'Coverage',
  'Flag',
  'Running',
  'Failed rows',
  'Incidents',
  'Automatic rollback',
  'Rollback options',
] as const

/** The rollouts of one agent as table rows, and since when the agent does not respond. */
export function AgentRollouts({ agent }: { agent: AgentDataSource }) {
  const rolloutsPoll = usePolling(
    agent.uid,
    async (signal) => {
      const [status, list] = await Promise.all([identifyAgent(agent, signal), listRollouts(agent, signal)])
      return { status, list }
    },
    (data) => (data?.list.some(({ running }) => running) ? ACTIVE_POLL_INTERVAL_MS : IDLE_POLL_INTERVAL_MS),
  )
  const { data } = rolloutsPoll
  return (
    <tbody>
      <AgentStatusRow agent={agent} poll={rolloutsPoll} columns={COLUMNS.length} />
      {data?.list.length === 0 && (
        <tr>
          <td colSpan={COLUMNS.length}>
            {agent.name} has no rollout. Add a rollout file to its folder and restart the agent.
          </td>
        </tr>
      )}
      {data?.list.map((summary) => (
        <RolloutRow key={summary.rollout} status={data.status} summary={summary} />
      ))}
    </tbody>
  )
}

function RolloutRow({
  status: { environment, production },
  summary,
}: {
  status: AgentStatus
  summary: RolloutSummary
}) {
  const { rollout, stage, coverage, flag, running, failedRows, rollbackReady, faults } = summary
  const { openIncidents, automaticRollback } = summary
  const warning = flagWarning(flag)
  return (
    <tr>
      <td data-column={COLUMNS[0]}>
        <EnvironmentBadge name={environment} production={production} />
      </td>
      <td data-column={COLUMNS[1]}>
        <TextLink href={routes.rollout(environment, rollout)} inline={false}>
          {rollout}
        </TextLink>{' '}
        {faults.length > 0 && (
          <Badge color="red" text="invalid" icon="exclamation-triangle" tooltip={faults.join(' ')} />
        )}
      </td>
      <td data-column={COLUMNS[2]}>
        <Badge text={stage} color={STAGE_DISPLAY[stage].color} tooltip={STAGE_DISPLAY[stage].description} />
      </td>
      <td data-column={COLUMNS[3]}>{formatValue(coverage, 'ratio')}</td>
      <td data-column={COLUMNS[4]}>
        {formatFlagState(flag)}{' '}
        {warning && <Badge color="orange" icon="exclamation-triangle" text="" tooltip={warning} />}
      </td>
      <td data-column={COLUMNS[5]}>
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
      <td data-column={COLUMNS[6]}>{formatCount(failedRows)}</td>
      <td data-column={COLUMNS[7]}>
        {openIncidents === 0 ? (
          'none'
        ) : (
          <LinkButton
            size="sm"
            variant="destructive"
            fill="outline"
            icon="bell"
            href={withAppSubUrl(routes.incidents(environment, rollout))}
          >
            {`${formatCount(openIncidents)} open`}
          </LinkButton>
        )}
      </td>
      <td data-column={COLUMNS[8]}>
        <AutomaticRollbackBadge state={automaticRollback} />
      </td>
      <td data-column={COLUMNS[9]}>
        <span>
          {rollbackReady.map((scope) => (
            <ScopeReadinessBadge key={scope.scope} scope={scope} />
          ))}
        </span>
      </td>
    </tr>
  )
}

function ScopeReadinessBadge({ scope: { scope, ready, reasons } }: { scope: ScopeReadiness }) {
  const badge = <Badge color={ready ? 'green' : 'orange'} icon={ready ? 'check' : 'times'} text={scope} />
  return ready || reasons.length === 0 ? (
    <>{badge} </>
  ) : (
    <Tooltip content={reasons.join(' ')}>
      <span>{badge} </span>
    </Tooltip>
  )
}
