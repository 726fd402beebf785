import { Alert, Badge } from '@grafana/ui'
import type { Promotion, RolloutDetail } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { ReasonConfirmation } from '../action/ReasonConfirmation'
import { RefusableButton } from '../action/RefusableButton'
import { why } from '../action/why'
import { promote, promotions } from '../agent/proofCalls'
import type { Environment } from '../agent/useEnvironment'
import { usePolled } from '../agent/usePolled'
import { Section } from '../layout/Section'
import { WideTable } from '../layout/WideTable'
import { clock, duration } from '../words/numbers'
import { HandIn } from './HandIn'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/** What the rollout file wants of another environment before the flag may go on here, and what was handed in. */
export function PromotionSection({ environment, detail, refresh }: Props) {
  const [open, setOpen] = useState<'hand in' | 'force' | null>(null)
  const { rollout, promotion: gate } = detail
  const asked = usePolled(gate && `${environment.name}/${rollout}`, (signal) =>
    promotions(environment.agent, rollout, signal),
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
    asked.refresh()
  }
  const history = asked.data?.promotions ?? []
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
          <RefusableButton
            size="sm"
            icon="upload"
            variant="secondary"
            reasons={why(detail, 'promote')}
            onClick={() => setOpen('hand in')}
          >
            Hand in a report
          </RefusableButton>
          <RefusableButton
            size="sm"
            icon="unlock"
            variant="destructive"
            reasons={forcing(environment, detail)}
            onClick={() => setOpen('force')}
          >
            Force
          </RefusableButton>
        </>
      }
    >
      {gate.reasons.map((reason) => (
        <p key={reason}>{reason}</p>
      ))}
      <p>
        {`The file wants a validation that passed in ${gate.from} not longer than ${duration(gate.maximumAgeSeconds)} ago, before ${gate.backfillToo ? 'the backfill and the flag' : 'the flag'}.`}
      </p>
      {asked.error && (
        <Alert severity="warning" title="What was handed in cannot be shown">
          {asked.error.message}
        </Alert>
      )}
      {history.length > 0 && (
        <WideTable columns={COLUMNS}>
          <tbody>
            {history.map((promotion) => (
              <Row key={promotion.id} promotion={promotion} />
            ))}
          </tbody>
        </WideTable>
      )}
      {open === 'hand in' && (
        <HandIn environment={environment} rollout={rollout} onDone={done} onClose={() => setOpen(null)} />
      )}
      {open === 'force' && (
        <ReasonConfirmation
          title={`Promote ${rollout} without a report`}
          environment={environment}
          verb="Force"
          says={`Nothing proves then that it passed in ${gate.from}: you answer for it. Every later report shows your reason.`}
          reason="required"
          destructive
          work={(reason) => promote(environment.agent, rollout, { environment: environment.name, force: true, reason })}
          onDone={done}
          onClose={() => setOpen(null)}
        />
      )}
    </Section>
  )
}

const COLUMNS = ['Counts', 'From', 'Validated', 'Signed with', 'Handed in', 'Why'] as const

function Row({ promotion }: { promotion: Promotion }) {
  const { counts, forced, from, validatedAt, kid, by, at, reason, why: fault } = promotion
  return (
    <tr>
      <td data-column={COLUMNS[0]}>
        <Badge text={counts ? 'yes' : 'no'} color={counts ? 'green' : 'orange'} tooltip={fault ?? undefined} />
      </td>
      <td data-column={COLUMNS[1]}>{forced ? 'forced, no report' : from}</td>
      <td data-column={COLUMNS[2]}>{clock(validatedAt)}</td>
      <td data-column={COLUMNS[3]}>{kid ? <code>{kid.slice(0, 12)}</code> : '–'}</td>
      <td data-column={COLUMNS[4]}>{`${clock(at)}, ${by.name}`}</td>
      <td data-column={COLUMNS[5]}>{[reason, fault].filter(Boolean).join(' · ') || '–'}</td>
    </tr>
  )
}

/** The gate as the agent holds it, and the level that forcing it takes whatever the agent's own rules are. */
function forcing({ status: { you } }: Environment, detail: RolloutDetail): readonly string[] {
  const refused = why(detail, 'promote')
  if (refused.length > 0 || you.level === 'admin') return refused
  return [`This needs the level admin; ${you.name} has the level ${you.level}.`]
}
