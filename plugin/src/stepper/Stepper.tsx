import { css, cx } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Icon, useStyles2 } from '@grafana/ui'
import type { RolloutDetail, RolloutStep, StepState } from '@sti-rollout/agent/contract'
import React from 'react'
import { withAppSubUrl } from '../routes'
import { STEP_LABELS, STEP_STATE_DISPLAY, stepFact, stepUrl } from './display'

interface Props extends Pick<RolloutDetail, 'steps' | 'environment' | 'rollout' | 'operations' | 'at'> {
  /** Shows the most important fact below each step. */
  facts?: boolean
}

/** The steps of a rollout, each with its state and its most important fact; a step leads to the page that belongs to it. */
export function Stepper({ steps, at, facts = true, ...target }: Props) {
  const styles = useStyles2(getStyles)
  return (
    <div className={styles.container}>
      <ol className={styles.steps} aria-label="Steps of the rollout">
        {steps.map((step, index) => {
          const { name, icon } = STEP_STATE_DISPLAY[step.state]
          return (
            <li key={step.step} className={cx(styles.step, step.state === 'done' && styles.passed)}>
              <a
                href={withAppSubUrl(stepUrl(step.step, target))}
                className={styles.link}
                aria-current={isHere(step) ? 'step' : undefined}
              >
                <span className={cx(styles.dot, styles[step.state])} title={name}>
                  {icon ? <Icon name={icon} size="sm" /> : index + 1}
                </span>
                <span className={cx(styles.label, isHere(step) && styles.here)}>
                  {STEP_LABELS[step.step]}
                  <span className={styles.hidden}>{`: ${name}`}</span>
                </span>
                {facts && (
                  <span className={cx(styles.fact, isColored(step.state) && styles[`${step.state}Fact`])}>
                    {stepFact(step, Date.parse(at))}
                  </span>
                )}
              </a>
            </li>
          )
        })}
      </ol>
    </div>
  )
}

const isColored = (state: StepState): state is 'current' | 'failed' | 'blocked' =>
  state === 'current' || state === 'failed' || state === 'blocked'
const isHere = ({ state }: RolloutStep) => state !== 'done' && state !== 'later'

const DOT_SIZE = 3.25

const getStyles = (theme: GrafanaTheme2) => {
  const line = {
    content: '""',
    position: 'absolute',
    top: `calc(${theme.spacing(DOT_SIZE / 2)} - 1px)`,
    right: '50%',
    width: '100%',
    height: 2,
    background: theme.colors.border.medium,
  } as const
  const narrow = '@container sti-stepper (max-width: 760px)'
  return {
    container: css({ containerType: 'inline-size', containerName: 'sti-stepper' }),
    steps: css({
      listStyle: 'none',
      margin: 0,
      display: 'grid',
      gridTemplateColumns: 'repeat(8, minmax(0, 1fr))',
      [narrow]: { gridTemplateColumns: 'minmax(0, 1fr)', gap: theme.spacing(0.5) },
    }),
    step: css({
      position: 'relative',
      minWidth: 0,
      '&:not(:first-child)::before': line,
      [narrow]: { '&:not(:first-child)::before': { display: 'none' } },
    }),
    passed: css({ '&:not(:first-child)::before': { background: theme.colors.success.border } }),
    link: css({
      position: 'relative',
      // Above the line of the next step.
      zIndex: 1,
      display: 'flex',
      flexDirection: 'column',
      alignItems: 'center',
      padding: theme.spacing(0, 0.5),
      textAlign: 'center',
      borderRadius: theme.shape.radius.default,
      '&:hover span': { textDecoration: 'none' },
      '&:hover': { color: theme.colors.text.maxContrast },
      [narrow]: {
        display: 'grid',
        gridTemplateColumns: 'auto max-content minmax(0, 1fr)',
        gap: theme.spacing(1),
        textAlign: 'start',
        padding: 0,
      },
    }),
    dot: css({
      display: 'grid',
      placeItems: 'center',
      width: theme.spacing(DOT_SIZE),
      height: theme.spacing(DOT_SIZE),
      borderRadius: theme.shape.radius.circle,
      border: `2px solid ${theme.colors.border.strong}`,
      background: theme.colors.background.primary,
      color: theme.colors.text.secondary,
      fontSize: theme.typography.bodySmall.fontSize,
      fontVariantNumeric: 'tabular-nums',
    }),
    label: css({
      fontWeight: theme.typography.fontWeightMedium,
      marginBlockStart: theme.spacing(0.5),
      [narrow]: { margin: 0 },
    }),
    here: css({ color: theme.colors.text.maxContrast }),
    fact: css({
      color: theme.colors.text.secondary,
      fontSize: theme.typography.bodySmall.fontSize,
      overflowWrap: 'anywhere',
      fontVariantNumeric: 'tabular-nums',
      [narrow]: { textAlign: 'end' },
    }),
    hidden: css({ position: 'absolute', width: 1, height: 1, overflow: 'hidden', clipPath: 'inset(50%)' }),
    done: css({ borderColor: theme.colors.success.border, color: theme.colors.success.text }),
    current: css({ borderColor: theme.colors.primary.border, color: theme.colors.primary.text }),
    next: css({ borderColor: theme.colors.primary.border, color: theme.colors.primary.text }),
    blocked: css({ borderColor: theme.colors.warning.border, color: theme.colors.warning.text }),
    failed: css({ borderColor: theme.colors.error.border, color: theme.colors.error.text }),
    later: css({}),
    currentFact: css({ color: theme.colors.primary.text }),
    blockedFact: css({ color: theme.colors.warning.text }),
    failedFact: css({ color: theme.colors.error.text }),
  }
}
