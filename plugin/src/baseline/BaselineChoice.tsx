import { Alert, Combobox, Field, FileUpload } from '@grafana/ui'
import type { BaselineSummary } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { toAgentError } from '../agent/AgentError'
import { importBaseline, listBaselines } from '../agent/baselineCalls'
import type { Environment } from '../agent/useEnvironment'
import { usePolling } from '../agent/usePolling'
import { formatTime } from '../formatTime'
import { parseBaseline } from './parseBaseline'

interface Props {
  environment: Environment
  rollout: string
  /** Null: the newest usable one. */
  value: number | null
  onChange: (id: number | null) => void
}

const NEWEST = 'newest'
const describe = ({ id, release, endedAt, oneRunOnly }: BaselineSummary): string =>
  `${id}${release ? `, release ${release}` : ''}, ${formatTime(endedAt)}${oneRunOnly ? ', for one validation' : ''}`

/** The baseline that one validation is compared with: the newest usable one, another one, or a file for this run only. */
export function BaselineChoice({ environment, rollout, value, onChange }: Props) {
  const [problem, setProblem] = useState<string | null>(null)
  const { agent } = environment
  const poll = usePolling(`baselines ${agent.uid}/${rollout}`, (signal) => listBaselines(agent, rollout, signal))
  const importFile = (file: File | undefined) => {
    setProblem(null)
    file
      ?.text()
      .then((text) => importBaseline(agent, rollout, { content: parseBaseline(text), oneRunOnly: true }))
      .then(({ id }) => {
        poll.refresh()
        onChange(id)
      })
      .catch((thrown: unknown) => setProblem(toAgentError(thrown, agent.name, 0).message))
  }
  return (
    <Field
      label="Compare with"
      description="A file applies to this validation only; the baseline of the rollout does not change."
    >
      <>
        <Combobox
          id="sti-baseline"
          aria-label="Compare with"
          options={[
            { value: NEWEST, label: 'The newest usable baseline' },
            ...(poll.data ?? []).map((baseline) => ({ value: String(baseline.id), label: describe(baseline) })),
          ]}
          value={value === null ? NEWEST : String(value)}
          onChange={(option) => onChange(option.value === NEWEST ? null : Number(option.value))}
        />
        <FileUpload
          accept="application/json,.json"
          size="sm"
          onFileUpload={({ currentTarget }) => importFile(currentTarget.files?.[0])}
        >
          Import for this run
        </FileUpload>
        {problem !== null && <Alert severity="error" title={problem} />}
      </>
    </Field>
  )
}
