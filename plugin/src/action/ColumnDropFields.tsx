import { Checkbox, Stack } from '@grafana/ui'
import React from 'react'
import type { OperationOptions } from './actionCatalog'

const PREPARATION_CHECKBOXES = [
  [
    'safetyChecks',
    'Safety checks',
    'Refuse unless every check passes. Without them it is a draft that nobody may merge.',
  ],
  [
    'validateData',
    'Trial on a copy',
    'Runs the migration and its undo on a copy of the schema with a sample of the data.',
  ],
  ['openPullRequest', 'Open the pull request', 'As a draft, with the repository of the agent’s configuration.'],
  ['exportArchive', 'Export the archive', 'Also writes it to a compressed file beside the agent.'],
] as const

const REMOVAL_CHECKBOXES = [
  ['exportArchive', 'Export it first', 'Writes it to a compressed file beside the agent, as it is then.'],
  ['force', 'Whatever is proved of it', 'After the drop: also if it was never exported, or never found equal.'],
] as const

interface Props {
  choices: OperationOptions
  onChange: (choices: OperationOptions) => void
  /** Of the archive alone; else: of the preparation. */
  removal?: boolean
}

/** How a column drop is prepared, or how its archive ends. */
export function ColumnDropFields({ choices, onChange, removal = false }: Props) {
  return (
    <Stack direction="column" gap={1} alignItems="flex-start">
      {(removal ? REMOVAL_CHECKBOXES : PREPARATION_CHECKBOXES).map(([name, label, description]) => (
        <div key={name}>
          <Checkbox
            label={label}
            description={description}
            value={choices[name]}
            onChange={(event) => onChange({ ...choices, [name]: event.currentTarget.checked })}
          />
        </div>
      ))}
    </Stack>
  )
}
