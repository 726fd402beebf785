import { css, cx } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import type { RolloutSummary } from '@sti-rollout/agent/contract'
import React from 'react'
import { STEP_LABELS, STEP_STATE_DISPLAY, stepFact } from './display'

/** The steps of a rollout as a row of bars, with the step where it is now in words. */
export function SmallStepper({ steps, at }: Pick<RolloutSummary, 'steps' | 'at'>) {
  const styles = useStyles2(getStyles)
  const here = steps.find(({ state }) => state !== 'done' && state !== 'later') ?? steps.at(-1)
  const words = here ? `${STEP_LABELS[here.step]}: ${stepFact(here, Date.parse(at))}` : ''
  const done = steps.filter(({ state }) => state === 'done').length
  return (
    <div className={styles.all}>
      <div className={styles.bars} role="img" aria-label={`${done} of ${steps.length} steps are done`}>
        {steps.map(({ step, state }) => (
          <span
            key={step}
            className={cx(styles.bar, styles[state])}
            title={`${STEP_LABELS[step]}: ${STEP_STATE_DISPLAY[state].name}`}
          />
        ))}
      </div>
      <span className={styles.words}>{words}</span>
    </div>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(0.5), minWidth: 160 }),
  bars: css({ display: 'grid', gridTemplateColumns: 'repeat(8, 1fr)', gap: 2, maxWidth: 240 }),
  bar: css({ height: 6, borderRadius: theme.shape.radius.default, background: theme.colors.border.medium }),
  done: css({ background: theme.colors.success.main }),
  current: css({ background: theme.colors.primary.main }),
  next: css({ background: theme.colors.primary.transparent, outline: `1px solid ${theme.colors.primary.border}` }),
  blocked: css({ background: theme.colors.warning.main }),
  failed: css({ background: theme.colors.error.main }),
  later: css({}),
  words: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
})
