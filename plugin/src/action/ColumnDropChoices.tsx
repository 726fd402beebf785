import { Checkbox, Stack } from '@grafana/ui'
import React from 'react'
import type { Choices } from './actions'

const BOXES = [
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
] as const

/** How a column drop is prepared. */
export function ColumnDropChoices({ choices, onChange }: { choices: Choices; onChange: (choices: Choices) => void }) {
  return (
    <Stack direction="column" gap={1} alignItems="flex-start">
      {BOXES.map(([name, label, description]) => (
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
