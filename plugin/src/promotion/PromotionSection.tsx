import { Alert, Badge } from '@grafana/ui'
import type { Promotion, RolloutDetail } from '@sti-rollout/agent/contract'
import { formatDuration } from '@sti-rollout/agent/format'
import React, { useState } from 'react'
import { ReasonConfirmation } from '../action/ReasonConfirmation'
import { ActionButton } from '../action/ActionButton'
import { refusalReasons } from '../action/refusalReasons'
import { submitPromotion, getPromotions } from '../agent/readinessCalls'
import type { Environment } from '../agent/useEnvironment'
import { useSlowPolling } from '../agent/usePolling'
import { Section } from '../layout/Section'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { formatTime } from '../formatTime'
import { UploadReport } from './UploadReport'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/** The promotion that the rollout file requires before the flag, and the submitted reports. */
export function PromotionSection({ environment, detail, refresh }: Props) {
  const [open, setOpen] = useState<'submit' | 'force' | null>(null)
  const { rollout, promotion: gate } = detail
  const promotionsPoll = useSlowPolling(gate && `${environment.name}/${rollout}/${gate.promoted}`, (signal) =>
    getPromotions(environment.agent, rollout, signal),
  )
  if (!gate) {
    return (
      <Section title="Promotion" state={<Badge text="not required" color="blue" />}>
        <p>
          The rollout file does not require a promotion for this environment. Other environments may require the report
          of this one.
        </p>
      </Section>
    )
  }
  const finish = () => {
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
            action="promote"
            reasons={refusalReasons(detail, 'promote')}
            onClick={() => setOpen('submit')}
          />
          <ActionButton
            action="promote"
            label="Force promotion"
            icon="unlock"
            variant="destructive"
            reasons={forceRefusalReasons(environment, detail)}
            onClick={() => setOpen('force')}
          />
        </>
      }
    >
      {gate.reasons.map((reason) => (
        <p key={reason}>{reason}</p>
      ))}
      <p>
        {`The rollout file requires a validation that passed in ${gate.from} within the last ${formatDuration(gate.maximumAgeSeconds)}, before ${gate.backfillToo ? 'the backfill and the flag' : 'the flag'}.`}
      </p>
      {promotionsPoll.error && (
        <Alert severity="warning" title="Cannot load the submitted reports">
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
      {open === 'submit' && (
        <UploadReport environment={environment} rollout={rollout} onDone={finish} onClose={() => setOpen(null)} />
      )}
      {open === 'force' && (
        <ReasonConfirmation
          title={`Promote ${rollout} without a report`}
          environment={environment}
          confirmLabel="Force promotion"
          description={`There is no evidence that the rollout passed in ${gate.from}. You take responsibility, and every later report shows your reason.`}
          reason="required"
          destructive
          submit={(reason) =>
            submitPromotion(environment.agent, rollout, { environment: environment.name, force: true, reason })
          }
          onDone={finish}
          onClose={() => setOpen(null)}
        />
      )}
    </Section>
  )
}

const COLUMNS = ['Valid', 'From', 'Validated', 'Signing key', 'Submitted', 'Reason'] as const

function PromotionRow({ promotion }: { promotion: Promotion }) {
  const { counts, forced, from, validatedAt, kid, by, at, reason, why: invalidReason } = promotion
  return (
    <tr>
      <td data-column={COLUMNS[0]}>
        <Badge text={counts ? 'yes' : 'no'} color={counts ? 'green' : 'orange'} tooltip={invalidReason ?? undefined} />
      </td>
      <td data-column={COLUMNS[1]}>{forced ? 'forced without a report' : from}</td>
      <td data-column={COLUMNS[2]}>{formatTime(validatedAt)}</td>
      <td data-column={COLUMNS[3]}>{kid ? <code>{kid.slice(0, 12)}</code> : '–'}</td>
      <td data-column={COLUMNS[4]}>{`${formatTime(at)} by ${by.name}`}</td>
      <td data-column={COLUMNS[5]}>{[reason, invalidReason].filter(Boolean).join(' · ') || '–'}</td>
    </tr>
  )
}

/** The reasons of the agent, and the level that forcing a promotion always requires. */
function forceRefusalReasons({ status: { you } }: Environment, detail: RolloutDetail): readonly string[] {
  const refused = refusalReasons(detail, 'promote')
  if (refused.length > 0 || you.level === 'admin') return refused
  return [`This requires the level admin; ${you.name} has the level ${you.level}.`]
}
