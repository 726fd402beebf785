import { Box, Checkbox, Stack } from '@grafana/ui'
import React from 'react'
import type { OperationFieldsProps } from './operationRequest'

const PREPARATION_CHECKBOXES = [
  [
    'safetyChecks',
    'Safety checks',
    'Refuse unless every check passes. Without the checks, the result is a draft that must not be merged.',
  ],
  [
    'validateData',
    'Trial on a copy',
    'Run the migration and its undo on a copy of the schema with a sample of the data.',
  ],
  [
    'openPullRequest',
    'Open the pull request',
    'Open it as a draft in the repository that the agent is configured with.',
  ],
  ['exportArchive', 'Export the archive', 'Also write the archive to a compressed file on the agent’s host.'],
] as const

const REMOVAL_CHECKBOXES = [
  ['exportArchive', 'Export the archive first', 'Write its current content to a compressed file on the agent’s host.'],
  [
    'force',
    'Remove an archive that is not verified',
    'Dangerous after the column drop: removes the archive even if it was never exported, or never matched the table.',
  ],
] as const

interface Props extends OperationFieldsProps {
  /** The options of the archive removal instead of those of the preparation. */
  removal?: boolean
}

/** The options of a column drop, or of the removal of its archive. */
export function ColumnDropFields({ options, onChange, removal = false }: Props) {
  return (
    <Box marginBottom={2}>
      <Stack direction="column" gap={1} alignItems="flex-start">
        {(removal ? REMOVAL_CHECKBOXES : PREPARATION_CHECKBOXES).map(([name, label, description]) => (
          <div key={name}>
            <Checkbox
              label={label}
              description={description}
              value={options[name]}
              onChange={(event) => onChange({ ...options, [name]: event.currentTarget.checked })}
            />
          </div>
        ))}
      </Stack>
    </Box>
  )
}
