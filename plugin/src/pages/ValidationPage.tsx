import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, EmptyState, LoadingPlaceholder, useStyles2 } from '@grafana/ui'
import { type Validation } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { useParams } from 'react-router-dom'
import { Confirmation } from '../action/Confirmation'
import { RefusableButton } from '../action/RefusableButton'
import { why } from '../action/why'
import { useEnvironment } from '../agent/useEnvironment'
import { Trouble } from '../rollout/Trouble'
import { useRollout } from '../rollout/useRollout'
import { Checks, VERDICTS } from '../validation/Checks'
import { Confusion } from '../validation/Confusion'
import { ago, clock, percent, rows } from '../words/numbers'
import { aboveRollout, Page } from './Page'

const LAYERS = ['integrity', 'performance', 'system', 'business'] as const

/** The latest validation: checks by layer with what was found and what may be, and where types differ. */
export function ValidationPage() {
  const { environment: name = '', rollout = '' } = useParams()
  const styles = useStyles2(getStyles)
  const [open, setOpen] = useState(false)
  const environment = useEnvironment(name)
  const { data: detail, error, failingSince, refresh } = useRollout(environment.data, rollout)
  const validation = detail?.validation ?? null
  const running = detail?.running?.kind === 'validation' ? detail.running : null

  return (
    <Page
      title="Validation"
      subTitle={`${rollout} in ${name}`}
      above={aboveRollout(name, rollout)}
      actions={
        detail && (
          <RefusableButton
            size="sm"
            icon="check-circle"
            reasons={why(detail, 'validation')}
            onClick={() => setOpen(true)}
          >
            Validate
          </RefusableButton>
        )
      }
    >
      <div className={styles.all}>
        <Trouble
          environment={environment.data}
          error={environment.error ?? error}
          failingSince={environment.failingSince ?? failingSince}
        />
        {!detail && !environment.error && !error && <LoadingPlaceholder text="Asking the agent…" />}
        {running && (
          <p role="status">{`A validation runs: ${running.progress ? percent(running.progress.ratio) : (running.step ?? running.state)}.`}</p>
        )}
        {detail && !validation && (
          <EmptyState variant="not-found" message="No validation has run yet">
            It reads the whole table and changes nothing. Start it with “Validate”.
          </EmptyState>
        )}
        {validation && (
          <>
            <Summary validation={validation} current={validation.fileHash === detail?.fileHash} />
            {LAYERS.map((layer) => {
              const checks = validation.checks.filter((check) => check.layer === layer)
              return checks.length > 0 && <Checks key={layer} layer={layer} checks={checks} />
            })}
            {validation.confusion.length > 0 && <Confusion cells={validation.confusion} />}
          </>
        )}
        {open && environment.data && (
          <Confirmation
            start="validation"
            environment={environment.data}
            rollout={rollout}
            onClose={() => setOpen(false)}
            onDone={() => {
              setOpen(false)
              refresh()
            }}
          />
        )}
      </div>
    </Page>
  )
}

function Summary({ validation, current }: { validation: Validation; current: boolean }) {
  const styles = useStyles2(getStyles)
  const { verdict, coverage, integrityScore, totalRows, endedAt, checksum } = validation
  return (
    <div className={styles.summary}>
      <Badge text={verdict} color={VERDICTS[verdict]} />
      <span>
        Coverage <strong>{percent(coverage)}</strong>
      </span>
      <span>
        Integrity score <strong>{percent(integrityScore)}</strong>
      </span>
      <span>
        <strong>{rows(totalRows)}</strong> rows read
      </span>
      <span title={clock(endedAt)}>{endedAt ? `ended ${ago(endedAt)}` : 'still running'}</span>
      {checksum && <span className={styles.weak}>{`checksum ${checksum}`}</span>}
      {!current && <Badge color="orange" text="of an older rollout file" icon="exclamation-triangle" />}
    </div>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(2.5) }),
  summary: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.5, 3) }),
  weak: css({ color: theme.colors.text.secondary, overflowWrap: 'anywhere' }),
})
