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
  /** Why the archive cannot be removed now; empty if it can. */
  reasons: readonly string[]
  onRemove: () => void
}

/** The archive of the legacy columns, and the button that removes it. */
export function ArchiveSection({ archive, reasons, onRemove }: Props) {
  const { relation, there, madeAt, completedAt, verified, exported } = archive
  return (
    <Section title="Archive" actions={<ActionButton action="remove-archive" reasons={reasons} onClick={onRemove} />}>
      {!there && <Alert severity="warning" title={`The archive table ${relation} no longer exists`} />}
      <DefinitionList
        items={[
          ['Table', relation],
          ['Created', formatTime(madeAt)],
          ['Completed', completedAt === null ? 'not yet' : formatTime(completedAt)],
          [
            'Compared with the table',
            verified === null
              ? 'never'
              : `${formatTime(verified.at)}, ${formatCount(verified.rows)} rows, ${
                  verified.differing === 0 ? 'no differences' : `${formatCount(verified.differing)} different`
                }`,
          ],
          [
            'Exported',
            exported === null
              ? 'never'
              : `${formatTime(exported.at)}, ${formatCount(exported.rows)} rows, ${formatBytes(exported.bytes)}, ${exported.path}`,
          ],
          ...(exported === null ? [] : [['SHA-256', exported.sha256] as const]),
        ]}
      />
    </Section>
  )
}
