import { Alert, LinkButton } from '@grafana/ui'
import React, { useEffect, useState } from 'react'
import type { AgentDataSource } from '../agent/agentDataSources'
import type { AgentError } from '../agent/AgentError'
import { agentsForEnvironment, hasSeveralDatabases } from '../agent/useEnvironment'
import { formatTime } from '../formatTime'
import { useCurrentTime } from '../incident/useCurrentTime'
import { routes, withAppSubUrl } from '../routes'
import { prometheusUidFor } from '../scene/prometheusDataSource'
import { formatFlagState } from './display'
import { type FlagReading, readLastFlags } from './flagReadings'

/** A single slow answer is no outage. */
const OUTAGE_AFTER_MS = 12_000

/** True while an agent that has responded before is only slow: the last answer is still shown, and nothing needs to be done. */
export function useIsOnlySlow(error: AgentError | null, failingSince: Date | null, hasAnswer: boolean): boolean {
  const isUnreachable = error?.unreachable === true
  const now = useCurrentTime(isUnreachable)
  return isUnreachable && hasAnswer && failingSince !== null && now - failingSince.getTime() < OUTAGE_AFTER_MS
}

interface OutageMeaningProps {
  /** Null: unknown. */
  environment: string | null
  /** Null: every rollout of the environment. */
  rollout: string | null
}

/** What it means for users that no agent of an environment responds, and what to do. */
export function OutageMeaning(place: OutageMeaningProps) {
  return (
    <>
      <p>
        A client of the flag that gets no response uses the default of its code, which is off: it reads the legacy
        columns. Automatic rollback and operations wait until an agent of the environment runs. If there is another one,
        it takes over by itself.
      </p>
      <LastFlags {...place} />
      <p>
        Restart the agent: the flag is then as it was before. If it was on and must stay off, turn it off in the
        database first. The runbook describes both.
      </p>
      <LinkButton size="sm" href={withAppSubUrl(`${routes.runbook()}#stiagentdown`)}>
        Open the runbook: agent down
      </LinkButton>
    </>
  )
}

/** What Prometheus last read of the flags, which decides what a restart of the agent does. */
function LastFlags({ environment, rollout }: OutageMeaningProps) {
  const [readings, setReadings] = useState<readonly FlagReading[] | null>(null)
  const prometheus = environment === null || hasSeveralDatabases(environment) ? null : prometheusOf(environment)
  useEffect(() => {
    let isCurrent = true
    const show = (found: readonly FlagReading[]): void => {
      if (isCurrent) setReadings(found)
    }
    if (prometheus !== null && environment !== null)
      readLastFlags(prometheus, environment, rollout).then(show, () => {
        show([])
      })
    return () => {
      isCurrent = false
    }
  }, [prometheus, environment, rollout])
  if (readings === null) return null
  if (readings.length === 0) return <p>Prometheus has no reading of the flag within a day: it may have been on.</p>
  const states = readings.map(
    ({ rollout: name, percentage, at }) =>
      `${name} ${formatFlagState({ enabled: percentage > 0, percentage })} (${formatTime(at)})`,
  )
  return <p>{`The flag, as Prometheus last read it: ${states.join(', ')}.`}</p>
}

const prometheusOf = (environment: string): string | null => {
  const [agent] = agentsForEnvironment(environment)
  return (agent && prometheusUidFor(agent)) ?? null
}

interface Props {
  agent: AgentDataSource
  error: AgentError
  failingSince: Date | null
  /** What the list has of the agent: “rollouts”. */
  what: string
  /** The list still has its last answer. */
  hasAnswer: boolean
}

/** An agent whose part of a list cannot be loaded. */
export function AgentOutage({ agent, error, failingSince, what, hasAnswer }: Props) {
  const isOnlySlow = useIsOnlySlow(error, failingSince, hasAnswer)
  const state = hasAnswer ? `Its ${what} are shown as they were then.` : `Its ${what} are not in this list.`
  if (isOnlySlow) return <div role="status">{`${error.message} Trying again. ${state}`}</div>
  return (
    <Alert severity="warning" title={`${agent.name} has not responded since ${formatTime(failingSince)}`}>
      <p>{`${error.message} ${state}`}</p>
      {error.unreachable && <OutageMeaning environment={agent.expected} rollout={null} />}
    </Alert>
  )
}
