import { Alert, Badge } from '@grafana/ui'
import type { Promotion, RolloutDetail } from '@sti-rollout/agent/contract'
import { formatDuration } from '@sti-rollout/agent/format'
import React, { useState } from 'react'
import { ReasonConfirmation } from '../action/ReasonConfirmation'
import { ActionButton } from '../action/ActionButton'
import { refusalReasons } from '../action/refusalReasons'
import { submitPromotion, getPromotions } from '../agent/readinessCalls'
import type { Environment } from '../agent/useEnvironment'
import { usePolling } from '../agent/usePolling'
import { Section } from '../layout/Section'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { formatTime } from '../formatTime'
import { UploadReport } from './UploadReport'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/** What the rollout file wants of another environment before the flag may go on here, and what was handed in. */
export function PromotionSection({ environment, detail, refresh }: Props) {
  const [open, setOpen] = useState<'hand in' | 'force' | null>(null)
  const { rollout, promotion: gate } = detail
  const promotionsPoll = usePolling(gate && `${environment.name}/${rollout}`, (signal) =>
    getPromotions(environment.agent, rollout, signal),
  )
  if (!gate) {
    return (
      <Section title="Promotion" state={<Badge text="not wanted here" color="blue" />}>
        <p>
          The rollout file wants nothing of another environment here. Where it does, this environment’s report is handed
          in.
        </p>
      </Section>
    )
  }
  const done = () => {
    setOpen(null)
    refresh()
    promotionsPoll.refresh()
  }
  const history = promotionsPoll.data?.promotions ?? []
  return (
    <Section
      title="Promotion"
      state={
        gate.promoted ? (
          <Badge
            text={gate.promotion?.forced ? 'forced' : `promoted from ${gate.from}`}
            color={gate.promotion?.forced ? 'orange' : 'green'}
            icon="check"
          />
        ) : (
          <Badge text={`not promoted from ${gate.from}`} color="red" icon="lock" />
        )
      }
      actions={
        <>
          <ActionButton
            size="sm"
            icon="upload"
            variant="secondary"
            reasons={refusalReasons(detail, 'promote')}
            onClick={() => setOpen('hand in')}
          >
            Hand in a report
          </ActionButton>
          <ActionButton
            size="sm"
            icon="unlock"
            variant="destructive"
            reasons={forceRefusalReasons(environment, detail)}
            onClick={() => setOpen('force')}
          >
            Force
          </ActionButton>
        </>
      }
    >
      {gate.reasons.map((reason) => (
        <p key={reason}>{reason}</p>
      ))}
      <p>
        {`The file wants a validation that passed in ${gate.from} not longer than ${formatDuration(gate.maximumAgeSeconds)} ago, before ${gate.backfillToo ? 'the backfill and the flag' : 'the flag'}.`}
      </p>
      {promotionsPoll.error && (
        <Alert severity="warning" title="What was handed in cannot be shown">
          {promotionsPoll.error.message}
        </Alert>
      )}
      {history.length > 0 && (
        <ResponsiveTable columns={COLUMNS}>
          <tbody>
            {history.map((promotion) => (
              <PromotionRow key={promotion.id} promotion={promotion} />
            ))}
          </tbody>
        </ResponsiveTable>
      )}
      {open === 'hand in' && (
        <UploadReport environment={environment} rollout={rollout} onDone={done} onClose={() => setOpen(null)} />
      )}
      {open === 'force' && (
        <ReasonConfirmation
          title={`Promote ${rollout} without a report`}
          environment={environment}
          confirmLabel="Force"
          description={`Nothing proves then that it passed in ${gate.from}: you answer for it. Every later report shows your reason.`}
          reason="required"
          destructive
          submit={(reason) =>
            submitPromotion(environment.agent, rollout, { environment: environment.name, force: true, reason })
          }
          onDone={done}
          onClose={() => setOpen(null)}
        />
      )}
    </Section>
  )
}

const COLUMNS = ['Counts', 'From', 'Validated', 'Signed with', 'Handed in', 'Why'] as const

function PromotionRow({ promotion }: { promotion: Promotion }) {
  const { counts, forced, from, validatedAt, kid, by, at, reason, why: fault } = promotion
  return (
    <tr>
      <td data-column={COLUMNS[0]}>
        <Badge text={counts ? 'yes' : 'no'} color={counts ? 'green' : 'orange'} tooltip={fault ?? undefined} />
      </td>
      <td data-column={COLUMNS[1]}>{forced ? 'forced, no report' : from}</td>
      <td data-column={COLUMNS[2]}>{formatTime(validatedAt)}</td>
      <td data-column={COLUMNS[3]}>{kid ? <code>{kid.slice(0, 12)}</code> : '–'}</td>
      <td data-column={COLUMNS[4]}>{`${formatTime(at)}, ${by.name}`}</td>
      <td data-column={COLUMNS[5]}>{[reason, fault].filter(Boolean).join(' · ') || '–'}</td>
    </tr>
  )
}

/** The gate as the agent holds it, and the level that forcing it takes whatever the agent's own rules are. */
function forceRefusalReasons({ status: { you } }: Environment, detail: RolloutDetail): readonly string[] {
  const refused = refusalReasons(detail, 'promote')
  if (refused.length > 0 || you.level === 'admin') return refused
  return [`This requires the level admin; ${you.name} has the level ${you.level}.`]
}
