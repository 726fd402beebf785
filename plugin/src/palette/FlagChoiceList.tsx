import { EmptyState } from '@grafana/ui'
import React, { useCallback, useState } from 'react'
import { OperationConfirmation } from '../action/OperationConfirmation'
import { routes } from '../routes'
import type { AgentDataSource } from '../agent/agentDataSources'
import { locationService } from '@grafana/runtime'
import { AgentFlagLoader } from './AgentFlagLoader'
import { type FlagChoice, FlagChoiceRow } from './FlagChoiceRow'
import { environmentPlace } from '../agent/useEnvironment'

/** Every flag of every agent with its rollback button: flags that are on first, then rollouts with a running operation. */
export function FlagChoiceList({ agents }: { agents: readonly AgentDataSource[] }) {
  const [choicesByAgent, setChoicesByAgent] = useState<Readonly<Record<string, readonly FlagChoice[]>>>({})
  const [open, setOpen] = useState<FlagChoice | null>(null)
  const onLoaded = useCallback(
    (uid: string, choices: readonly FlagChoice[]) => setChoicesByAgent((old) => ({ ...old, [uid]: choices })),
    [],
  )
  const choices = uniqueChoices(Object.values(choicesByAgent).flat()).sort((a, b) => sortPriority(a) - sortPriority(b))

  return (
    <>
      {agents.length === 0 && <EmptyState variant="not-found" message="No agent is configured" />}
      {choices.map((choice) => (
        <FlagChoiceRow key={choiceKey(choice)} choice={choice} onChoose={() => setOpen(choice)} />
      ))}
      {agents.map((agent) => (
        <AgentFlagLoader key={agent.uid} agent={agent} onLoaded={onLoaded} />
      ))}
      {open && (
        <OperationConfirmation
          action="rollback-flag"
          environment={open.environment}
          rollout={open.summary.rollout}
          onClose={() => setOpen(null)}
          onDone={() => locationService.push(routes.rollout(environmentPlace(open.environment), open.summary.rollout))}
        />
      )}
    </>
  )
}

const sortPriority = ({ summary: { flag, running } }: FlagChoice) => (flag.enabled ? 0 : 2) + (running ? 0 : 1)

const choiceKey = ({ environment, summary }: FlagChoice) => `${environmentPlace(environment)}/${summary.rollout}`

/** Two agents of one environment report the same rollouts. */
function uniqueChoices(choices: readonly FlagChoice[]): FlagChoice[] {
  return [...new Map(choices.map((choice) => [choiceKey(choice), choice])).values()]
}
