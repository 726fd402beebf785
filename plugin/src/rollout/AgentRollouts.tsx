import { Badge, LinkButton, TextLink, Tooltip } from '@grafana/ui'
import type { AgentStatus, RolloutSummary, ScopeReadiness } from '@sti-rollout/agent/contract'
import React from 'react'
import { AutomaticRollbackBadge } from '../action/AutomaticRollbackSwitch'
import type { Agent } from '../agent/agents'
import { rollouts } from '../agent/calls'
import { identify } from '../agent/useEnvironment'
import { QUIET_MS, RUNNING_MS, usePolled } from '../agent/usePolled'
import { href, to } from '../ids'
import { nameOf } from '../operation/look'
import { percent, rows } from '../words/numbers'
import { AgentAnswer } from './AgentAnswer'
import { EnvironmentBadge } from './EnvironmentBadge'
import { flagState, flagTrouble } from './flag'
import { COLUMNS } from './RolloutsTable'
import { STAGES } from './stage'

/** The rollouts of one agent as rows; while it is away, since when. */
export function AgentRollouts({ agent }: { agent: Agent }) {
  const asked = usePolled(
    agent.uid,
    async (signal) => {
      const [status, list] = await Promise.all([identify(agent, signal), rollouts(agent, signal)])
      return { status, list }
    },
    (answer) => (answer?.list.some(({ running }) => running) ? RUNNING_MS : QUIET_MS),
  )
  const { data } = asked
  return (
    <tbody>
      <AgentAnswer agent={agent} asked={asked} columns={COLUMNS.length} />
      {data?.list.length === 0 && (
        <tr>
          <td colSpan={COLUMNS.length}>
            {agent.name} has no rollout. Put a rollout file into its folder and start it again.
          </td>
        </tr>
      )}
      {data?.list.map((summary) => (
        <Row key={summary.rollout} status={data.status} summary={summary} />
      ))}
    </tbody>
  )
}

function Row({ status: { environment, production }, summary }: { status: AgentStatus; summary: RolloutSummary }) {
  const { rollout, stage, coverage, flag, running, failedRows, rollbackReady, faults } = summary
  const { openIncidents, automaticRollback } = summary
  const trouble = flagTrouble(flag)
  return (
    <tr>
      <td data-column={COLUMNS[0]}>
        <EnvironmentBadge name={environment} production={production} />
      </td>
      <td data-column={COLUMNS[1]}>
        <TextLink href={to.rollout(environment, rollout)} inline={false}>
          {rollout}
        </TextLink>{' '}
        {faults.length > 0 && (
          <Badge color="red" text="faulty" icon="exclamation-triangle" tooltip={faults.join(' ')} />
        )}
      </td>
      <td data-column={COLUMNS[2]}>
        <Badge text={stage} color={STAGES[stage].color} tooltip={STAGES[stage].means} />
      </td>
      <td data-column={COLUMNS[3]}>{percent(coverage)}</td>
      <td data-column={COLUMNS[4]}>
        {flagState(flag)} {trouble && <Badge color="orange" icon="exclamation-triangle" text="" tooltip={trouble} />}
      </td>
      <td data-column={COLUMNS[5]}>
        {running ? (
          <TextLink href={to.operation(environment, rollout, running.id)} inline={false}>
            {[
              nameOf(running),
              running.progress && percent(running.progress.ratio),
              running.state !== 'running' && running.state,
            ]
              .filter(Boolean)
              .join(' · ')}
          </TextLink>
        ) : (
          '–'
        )}
      </td>
      <td data-column={COLUMNS[6]}>{rows(failedRows)}</td>
      <td data-column={COLUMNS[7]}>
        {openIncidents === 0 ? (
          'none'
        ) : (
          <LinkButton
            size="sm"
            variant="destructive"
            fill="outline"
            icon="bell"
            href={href(to.incidents(environment, rollout))}
          >
            {`${rows(openIncidents)} open`}
          </LinkButton>
        )}
      </td>
      <td data-column={COLUMNS[8]}>
        <AutomaticRollbackBadge state={automaticRollback} />
      </td>
      <td data-column={COLUMNS[9]}>
        <span>
          {rollbackReady.map((scope) => (
            <Ready key={scope.scope} scope={scope} />
          ))}
        </span>
      </td>
    </tr>
  )
}

function Ready({ scope: { scope, ready, reasons } }: { scope: ScopeReadiness }) {
  const badge = <Badge color={ready ? 'green' : 'orange'} icon={ready ? 'check' : 'times'} text={scope} />
  return ready || reasons.length === 0 ? (
    <>{badge} </>
  ) : (
    <Tooltip content={reasons.join(' ')}>
      <span>{badge} </span>
    </Tooltip>
  )
}
