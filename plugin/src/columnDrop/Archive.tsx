import { Alert } from '@grafana/ui'
import type { ColumnArchive } from '@sti-rollout/agent/contract'
import React from 'react'
import { RefusableButton } from '../action/RefusableButton'
import { Pairs } from '../layout/Pairs'
import { Section } from '../layout/Section'
import { bytes, clock, rows } from '../words/numbers'

interface Props {
  archive: ColumnArchive
  /** Why it may not be removed now. */
  reasons: readonly string[]
  onRemove: () => void
}

/** The legacy columns as they are kept until nobody needs them, and the end of that. */
export function Archive({ archive, reasons, onRemove }: Props) {
  const { relation, there, madeAt, completedAt, verified, exported } = archive
  return (
    <Section
      title="Archive"
      actions={
        <RefusableButton size="sm" variant="destructive" icon="trash-alt" reasons={reasons} onClick={onRemove}>
          Remove
        </RefusableButton>
      }
    >
      {!there && <Alert severity="warning" title={`${relation} is gone: somebody has dropped it`} />}
      <Pairs
        of={[
          ['Table', relation],
          ['Made', clock(madeAt)],
          ['Complete', completedAt === null ? 'not yet' : clock(completedAt)],
          [
            'Compared',
            verified === null
              ? 'never'
              : `${clock(verified.at)}, ${rows(verified.rows)} rows, ${
                  verified.differing === 0 ? 'all the same' : `${rows(verified.differing)} not the same`
                }`,
          ],
          [
            'Exported',
            exported === null
              ? 'never'
              : `${clock(exported.at)}, ${rows(exported.rows)} rows, ${bytes(exported.bytes)}, ${exported.path}`,
          ],
          ...(exported === null ? [] : [['sha256', exported.sha256] as const]),
        ]}
      />
    </Section>
  )
}
