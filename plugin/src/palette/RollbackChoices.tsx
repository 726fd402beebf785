import { EmptyState } from '@grafana/ui'
import React, { useCallback, useState } from 'react'
import { Confirmation } from '../action/Confirmation'
import { to } from '../ids'
import type { Agent } from '../agent/agents'
import { locationService } from '@grafana/runtime'
import { AgentFlags } from './AgentFlags'
import { type Choice, ChoiceRow } from './ChoiceRow'

/** Every flag of every agent with its way back: those that are on first, and then those where something runs. */
export function RollbackChoices({ agents }: { agents: readonly Agent[] }) {
  const [found, setFound] = useState<Readonly<Record<string, readonly Choice[]>>>({})
  const [open, setOpen] = useState<Choice | null>(null)
  const onFound = useCallback(
    (uid: string, choices: readonly Choice[]) => setFound((old) => ({ ...old, [uid]: choices })),
    [],
  )
  const choices = unique(Object.values(found).flat()).sort((a, b) => urgency(a) - urgency(b))

  return (
    <>
      {agents.length === 0 && <EmptyState variant="not-found" message="No agent is configured" />}
      {choices.map((choice) => (
        <ChoiceRow
          key={`${choice.environment.name}/${choice.summary.rollout}`}
          choice={choice}
          onChoose={() => setOpen(choice)}
        />
      ))}
      {agents.map((agent) => (
        <AgentFlags key={agent.uid} agent={agent} onFound={onFound} />
      ))}
      {open && (
        <Confirmation
          start="rollback-flag"
          environment={open.environment}
          rollout={open.summary.rollout}
          onClose={() => setOpen(null)}
          onDone={() => locationService.push(to.rollout(open.environment.name, open.summary.rollout))}
        />
      )}
    </>
  )
}

const urgency = ({ summary: { flag, running } }: Choice) => (flag.enabled ? 0 : 2) + (running ? 0 : 1)

/** Two agents of one environment know the same rollouts. */
function unique(choices: readonly Choice[]): Choice[] {
  return [
    ...new Map(choices.map((choice) => [`${choice.environment.name}/${choice.summary.rollout}`, choice])).values(),
  ]
}
