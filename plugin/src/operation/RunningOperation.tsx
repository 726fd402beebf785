import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Stack, TextLink, useStyles2 } from '@grafana/ui'
import type { AllowedAction, Operation, OperationProgress } from '@sti-rollout/agent/contract'
import { formatCount, formatDuration, formatPercent } from '@sti-rollout/agent/format'
import React, { useState } from 'react'
import { type Control, ControlConfirmation, CONTROLS } from '../action/ControlConfirmation'
import { ActionButton } from '../action/ActionButton'
import type { Environment } from '../agent/useEnvironment'
import { routes } from '../routes'
import { OPERATION_STATE_DISPLAY, operationTitle } from './display'
import { OperationStateBadge } from './OperationStateBadge'
import { ProgressBar } from './ProgressBar'

interface Props {
  environment: Environment
  operation: Operation
  actions: readonly AllowedAction[]
  onChanged: () => void
}

/** The operation that runs: how far, how fast, how long, why it waits; and what may be done with it. */
export function RunningOperation({ environment, operation, actions, onChanged }: Props) {
  const styles = useStyles2(getStyles)
  const [open, setOpen] = useState<Control | null>(null)
  const { progress, state } = operation
  const waiting = progress?.throttled ?? null
  // What it did last is no rate while it stands, and there is no end in sight.
  const isProgressing = state !== 'paused' && state !== 'queued'
  const controls = (Object.keys(CONTROLS) as Control[]).flatMap((verb) => {
    const allowedAction = actions.find(
      (each) => each.action === verb && (each.operationId === null || each.operationId === operation.id),
    )
    const notApplicable =
      (verb === 'pause' && state === 'paused') || (verb === 'resume' && state !== 'paused' && state !== 'pausing')
    return allowedAction && !notApplicable
      ? [{ verb, reasons: allowedAction.allowed ? [] : allowedAction.reasons }]
      : []
  })

  return (
    <section className={styles.all} aria-label={`${operationTitle(operation)} ${operation.id}`}>
      <div className={styles.line}>
        <TextLink href={routes.operation(environment.name, operation.rollout, operation.id)} inline={false}>
          {`${operationTitle(operation)} ${operation.id}`}
        </TextLink>
        <OperationStateBadge state={state} />
        {progress && <strong className={styles.percent}>{formatPercent(progress.ratio)}</strong>}
        <span className={styles.numbers}>
          {progress && formatProgress(progress)}
          {isProgressing && progress?.rowsPerSecond != null && progress.unit === undefined && (
            <span>{`${formatCount(progress.rowsPerSecond * 60)} rows/min`}</span>
          )}
          {isProgressing && progress?.remainingSeconds != null && (
            <span>{`${formatDuration(progress.remainingSeconds)} left`}</span>
          )}
          {progress && progress.failedRows > 0 && (
            <span className={styles.bad}>{`${formatCount(progress.failedRows)} failed`}</span>
          )}
          {!progress && operation.step && <span>{operation.step}</span>}
        </span>
        <div className={styles.controls}>
          <Stack direction="row" wrap="wrap" gap={0.5}>
            {controls.map(({ verb, reasons }) => (
              <ActionButton
                key={verb}
                size="sm"
                variant="secondary"
                icon={CONTROLS[verb].icon}
                reasons={reasons}
                onClick={() => setOpen(verb)}
              >
                {CONTROLS[verb].label}
              </ActionButton>
            ))}
          </Stack>
        </div>
      </div>
      {progress && (
        <ProgressBar
          ratio={progress.ratio}
          label={`${operationTitle(operation)} of ${operation.rollout}`}
          waiting={waiting !== null || state !== 'running'}
        />
      )}
      {!OPERATION_STATE_DISPLAY[state].ended && (waiting ?? operation.error ?? (progress && operation.step)) && (
        <div className={waiting || operation.error ? styles.waits : styles.step} role="status">
          {waiting ? `Waits: ${waiting}` : (operation.error ?? (state === 'paused' ? PAUSED_HINT : operation.step))}
        </div>
      )}
      {open && (
        <ControlConfirmation
          verb={open}
          environment={environment}
          operation={operation}
          onClose={() => setOpen(null)}
          onDone={() => {
            setOpen(null)
            onChanged()
          }}
        />
      )}
    </section>
  )
}

const PAUSED_HINT = 'It goes on from here when it is resumed. Its events say who paused it, and why.'

/** What is counted is rows, seconds of sampling, or the steps of a ramp. */
function formatProgress({ unit, ramp, processedRows, totalRows }: OperationProgress): string {
  if (ramp) {
    const { step, steps, percentage, heldSeconds, holdSeconds } = ramp
    return `step ${step} of ${steps.length}: on for ${percentage} %, held ${formatDuration(heldSeconds)} of ${formatDuration(holdSeconds)}`
  }
  if (unit === 'steps') return `${processedRows} of ${totalRows} steps`
  if (unit === 'seconds') return `${formatDuration(processedRows)} of ${formatDuration(totalRows)}`
  return `${formatCount(processedRows)} / ${formatCount(totalRows)} rows`
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(0.5) }),
  line: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.5, 1.5) }),
  percent: css({ fontSize: theme.typography.h5.fontSize, fontVariantNumeric: 'tabular-nums' }),
  numbers: css({
    display: 'flex',
    flexWrap: 'wrap',
    gap: theme.spacing(0, 2),
    fontVariantNumeric: 'tabular-nums',
    color: theme.colors.text.primary,
  }),
  controls: css({ marginInlineStart: 'auto' }),
  bad: css({ color: theme.colors.error.text }),
  waits: css({ color: theme.colors.warning.text }),
  step: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
})
