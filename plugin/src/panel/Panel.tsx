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
  const environment = usePolled(
    isSet(uid) ? uid : null,
    (signal) => environmentOf(agentOf(uid), signal),
    () => QUIET_MS,
  )
  const detail = useRollout(isSet(name) ? environment.data : null, name)

  const noRollout = environment.data !== null && !isSet(name)

  if (!isSet(uid)) return <div>No agent is configured. Add a data source of type “STI Rollout agent”.</div>
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
      {noRollout && <p>This agent has no rollout. Put a rollout file into its folder and restart it.</p>}
      {!noRollout && !detail.data && !environment.error && !detail.error && (
        <LoadingPlaceholder text="Asking the agent…" />
      )}
    </div>
  )
}

/** A variable that has no value stays as it is written. */
const isSet = (value: string) => value !== '' && !value.startsWith('$')
