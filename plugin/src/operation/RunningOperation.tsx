import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, Stack, TextLink, useStyles2 } from '@grafana/ui'
import { operationTitle, type AllowedAction, type Operation, type OperationProgress } from '@sti-rollout/agent/contract'
import { formatCount, formatDuration, formatPercent, formatQuantity } from '@sti-rollout/agent/format'
import React, { useState } from 'react'
import { type Control, ControlConfirmation, CONTROLS } from '../action/ControlConfirmation'
import { ActionButton } from '../action/ActionButton'
import { type Environment, environmentPlace } from '../agent/useEnvironment'
import { routes } from '../routes'
import { ControlGroup } from './ControlGroup'
import { OPERATION_STATE_DISPLAY } from './display'
import { OperationStateBadge } from './OperationStateBadge'
import { ProgressBar } from './ProgressBar'

interface Props {
  environment: Environment
  operation: Operation
  actions: readonly AllowedAction[]
  onChanged: () => void
}

/** A running operation: progress, rate, time left, why it waits, and its controls. */
export function RunningOperation({ environment, operation, actions, onChanged }: Props) {
  const styles = useStyles2(getStyles)
  const [open, setOpen] = useState<Control | null>(null)
  const { progress, state } = operation
  const waiting = progress?.throttled ?? null
  const { ended } = OPERATION_STATE_DISPLAY[state]
  // The latest rate does not apply once the operation ends, or while it is paused or waits, and the time left is unknown.
  const isProgressing = !ended && state !== 'paused' && state !== 'queued' && waiting === null
  const controls = CONTROLS.flatMap((control) => {
    const allowedAction = actions.find(
      ({ action, operationId }) => action === control && (operationId === null || operationId === operation.id),
    )
    const notApplicable =
      (control === 'pause' && state === 'paused') || (control === 'resume' && state !== 'paused' && state !== 'pausing')
    return allowedAction && !notApplicable
      ? [{ control, reasons: allowedAction.allowed ? [] : allowedAction.reasons }]
      : []
  })

  return (
    <section className={styles.all} aria-label={`${operationTitle(operation)} ${operation.id}`}>
      <div className={styles.line}>
        <TextLink
          href={routes.operation(environmentPlace(environment), operation.rollout, operation.id)}
          inline={false}
        >
          {`${operationTitle(operation)} ${operation.id}`}
        </TextLink>
        {state === 'running' && waiting !== null ? (
          <Badge color="orange" icon="clock-nine" text="waiting" />
        ) : (
          <OperationStateBadge state={state} />
        )}
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
            {controls.map(({ control, reasons }) => (
              <ActionButton
                key={control}
                action={control}
                variant="secondary"
                reasons={reasons}
                onClick={() => setOpen(control)}
              />
            ))}
          </Stack>
        </div>
      </div>
      {progress && (
        <ProgressBar
          ratio={progress.ratio}
          label={`${operationTitle(operation)} of ${operation.rollout}`}
          waiting={!ended && (waiting !== null || state !== 'running')}
        />
      )}
      {progress?.ramp?.comparison && <ControlGroup comparison={progress.ramp.comparison} />}
      {state === 'running' && progress?.held && (
        <div className={styles.waiting} role="status">
          {describeHeldRows(progress.held)}
        </div>
      )}
      {!ended && (waiting ?? operation.error ?? (progress && operation.step)) && (
        <div className={waiting || operation.error ? styles.waiting : styles.step} role="status">
          {waiting
            ? `Waiting: ${waiting}. The agent continues automatically.`
            : (operation.error ?? (state === 'paused' ? PAUSED_HINT : operation.step))}
        </div>
      )}
      {open && (
        <ControlConfirmation
          control={open}
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

const PAUSED_HINT = 'The operation continues from here when you resume it. The events show who paused it and why.'

/** Held rows stop nothing else, so this line stands beside the progress. */
function describeHeldRows({ rows, holders, waiting }: NonNullable<OperationProgress['held']>): string {
  const who = holders === '' ? 'another transaction' : holders
  if (rows === 0) return `Waiting for a lock held by ${who}.`
  const what = `${formatQuantity(rows, 'row')} locked by ${who}`
  return waiting ? `Waiting for ${what}. Everything else is written.` : `${what}. The other rows are written meanwhile.`
}

/** Progress in rows, in seconds of sampling, or in steps of a rehearsal or a ramp. */
function formatProgress({ unit, ramp, processedRows, totalRows }: OperationProgress): string {
  if (ramp) {
    const { step, steps, percentage, heldSeconds, holdSeconds } = ramp
    return `step ${step} of ${steps.length}: on for ${formatPercent(percentage / 100)}, held ${formatDuration(heldSeconds)} of ${formatDuration(holdSeconds)}`
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
  waiting: css({ color: theme.colors.warning.text }),
  step: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
})
