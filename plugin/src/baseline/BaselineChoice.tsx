import { Box, Combobox, Field, FileUpload } from '@grafana/ui'
import type { BaselineSummary } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { ActionButton } from '../action/ActionButton'
import { ErrorBox } from '../action/ErrorBox'
import { missingRightReasons } from '../action/refusalReasons'
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
const COMBOBOX_ID = 'sti-baseline'
const IMPORT_LABEL = 'Import for this run'
const describe = ({ id, release, endedAt, oneRunOnly }: BaselineSummary): string =>
  `${id}${release ? `, release ${release}` : ''}, ${formatTime(endedAt)}${oneRunOnly ? ', for one validation' : ''}`

/** The baseline that one validation is compared with: the newest usable one, another one, or a file for this run only. */
export function BaselineChoice({ environment, rollout, value, onChange }: Props) {
  const [problem, setProblem] = useState<Error | null>(null)
  const { agent, status } = environment
  const reasons = missingRightReasons(status, 'import-baseline')
  const poll = usePolling(`baselines ${agent.uid}/${rollout}`, (signal) => listBaselines(agent, rollout, signal))
  const importFile = (input: HTMLInputElement) => {
    setProblem(null)
    input.files?.[0]
      ?.text()
      .then((text) => importBaseline(agent, rollout, { content: parseBaseline(text), oneRunOnly: true }))
      .then(({ id }) => {
        poll.refresh()
        onChange(id)
      })
      .catch(setProblem)
    // Without this, the browser does not report that the same file is selected again after a change.
    input.value = ''
  }
  return (
    <Field
      label="Compare with"
      htmlFor={COMBOBOX_ID}
      description="A file applies to this validation only; the baseline of the rollout does not change."
    >
      <>
        <Combobox
          id={COMBOBOX_ID}
          options={[
            { value: NEWEST, label: 'The newest usable baseline' },
            ...(poll.data ?? []).map((baseline) => ({ value: String(baseline.id), label: describe(baseline) })),
          ]}
          value={value === null ? NEWEST : String(value)}
          onChange={(option) => onChange(option.value === NEWEST ? null : Number(option.value))}
        />
        <Box marginTop={1}>
          {reasons.length > 0 ? (
            <ActionButton action="import-baseline" label={IMPORT_LABEL} reasons={reasons} />
          ) : (
            <FileUpload
              accept="application/json,.json"
              size="sm"
              onFileUpload={({ currentTarget }) => importFile(currentTarget)}
            >
              {IMPORT_LABEL}
            </FileUpload>
          )}
        </Box>
        {problem !== null && <ErrorBox error={problem} />}
      </>
    </Field>
  )
}
