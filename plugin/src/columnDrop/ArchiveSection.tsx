import { Alert } from '@grafana/ui'
import type { ColumnArchive } from '@sti-rollout/agent/contract'
import { formatBytes, formatCount } from '@sti-rollout/agent/format'
import React from 'react'
import { ActionButton } from '../action/ActionButton'
import { DefinitionList } from '../layout/DefinitionList'
import { Section } from '../layout/Section'
import { formatTime } from '../formatTime'

interface Props {
  archive: ColumnArchive
  /** Why it may not be removed now. */
  reasons: readonly string[]
  onRemove: () => void
}

/** The legacy columns as they are kept until nobody needs them, and the end of that. */
export function ArchiveSection({ archive, reasons, onRemove }: Props) {
  const { relation, there, madeAt, completedAt, verified, exported } = archive
  return (
    <Section
      title="Archive"
      actions={
        <ActionButton size="sm" variant="destructive" icon="trash-alt" reasons={reasons} onClick={onRemove}>
          Remove
        </ActionButton>
      }
    >
      {!there && <Alert severity="warning" title={`${relation} is gone: somebody has dropped it`} />}
      <DefinitionList
        of={[
          ['Table', relation],
          ['Made', formatTime(madeAt)],
          ['Complete', completedAt === null ? 'not yet' : formatTime(completedAt)],
          [
            'Compared',
            verified === null
              ? 'never'
              : `${formatTime(verified.at)}, ${formatCount(verified.rows)} rows, ${
                  verified.differing === 0 ? 'all the same' : `${formatCount(verified.differing)} not the same`
                }`,
          ],
          [
            'Exported',
            exported === null
              ? 'never'
              : `${formatTime(exported.at)}, ${formatCount(exported.rows)} rows, ${formatBytes(exported.bytes)}, ${exported.path}`,
          ],
          ...(exported === null ? [] : [['sha256', exported.sha256] as const]),
        ]}
      />
    </Section>
  )
}
