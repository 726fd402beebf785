import type { PanelProps } from '@grafana/data'
import { LoadingPlaceholder } from '@grafana/ui'
import React from 'react'
import { agentOf } from '../agent/agents'
import { QUIET_MS, usePolled } from '../agent/usePolled'
import { environmentOf } from '../agent/useEnvironment'
import { Cockpit } from '../rollout/Cockpit'
import { Trouble } from '../rollout/Trouble'
import { useRollout } from '../rollout/useRollout'

export interface PanelOptions {
  /** uid of the agent's data source; may be a variable. */
  agent: string
  /** Name of the rollout; may be a variable. */
  rollout: string
}

/** Room for the menu that Grafana lays over the corner of a panel. */
const MENU = 40

/** The action bar and the running operation of one rollout, on any dashboard. */
export function Panel({ options, replaceVariables, width, height }: PanelProps<PanelOptions>) {
  const uid = replaceVariables(options.agent)
  const name = replaceVariables(options.rollout)
  const unset = missing(uid, name)
  const environment = usePolled(
    unset ? null : uid,
    (signal) => environmentOf(agentOf(uid), signal),
    () => QUIET_MS,
  )
  const detail = useRollout(environment.data, name)

  if (unset) return <div>{unset}</div>
  return (
    // What does not fit scrolls, and the keyboard has to reach it.
    <div
      style={{ width, height, overflow: 'auto', paddingInlineEnd: MENU }}
      tabIndex={0}
      role="region"
      aria-label={`Actions on ${name}`}
    >
      <Trouble
        environment={environment.data}
        error={environment.error ?? detail.error}
        failingSince={environment.failingSince ?? detail.failingSince}
        faults={detail.data?.faults}
      />
      {environment.data && detail.data && (
        <Cockpit environment={environment.data} detail={detail.data} refresh={detail.refresh} />
      )}
      {!detail.data && !environment.error && !detail.error && <LoadingPlaceholder text="Asking the agent…" />}
    </div>
  )
}

function missing(uid: string, rollout: string): string | null {
  if (!uid || uid.startsWith('$')) return 'No agent is configured. Add a data source of type “STI Rollout agent”.'
  if (!rollout || rollout.startsWith('$'))
    return 'This agent has no rollout. Put a rollout file into its folder and restart it.'
  return null
}
