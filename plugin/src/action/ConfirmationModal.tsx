import { css, cx } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Button, Modal, useStyles2 } from '@grafana/ui'
import React, { type FormEvent, type ReactNode, type RefObject, useEffect, useRef } from 'react'
import type { AgentError } from '../agent/AgentError'
import { EnvironmentBadge } from '../rollout/EnvironmentBadge'
import { ErrorBox } from './ErrorBox'

interface Props {
  title: string
  environment: { name: string; production: boolean }
  confirmLabel: string
  destructive: boolean
  /** Why the request cannot be sent yet, or null. */
  disabledReason: string | null
  busy: boolean
  /** The work is done and its result is shown: what remains is to close the confirmation. */
  done?: boolean
  error: AgentError | null
  onConfirm: () => void
  onClose: () => void
  children: ReactNode
}

const FRAMES_UNTIL_OPEN = 20
const FOCUSABLE = ':is(input, textarea, button):not(:disabled)'

/** A button “Cancel” that leaves the dialog would be mistaken for one that cancels something else. */
const leaveLabel = (confirmLabel: string): string => (/^cancel\b/i.test(confirmLabel) ? 'Close' : 'Cancel')

/** The confirmation of an action. Its title names the environment, red in production; it stays open after an error. */
export function ConfirmationModal({
  title,
  environment,
  confirmLabel,
  destructive,
  disabledReason,
  busy,
  done = false,
  error,
  children,
  onConfirm,
  onClose,
}: Props) {
  const styles = useStyles2(getStyles)
  const form = useRef<HTMLFormElement>(null)
  useFocusWithinDialog(form)
  useEscapeOutside(onClose)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!busy && !done && disabledReason === null) onConfirm()
  }
  const heading = (
    <h2 className={cx(styles.heading, environment.production && styles.production)}>
      {title} in <EnvironmentBadge {...environment} />
    </h2>
  )
  return (
    <Modal
      isOpen
      title={heading}
      ariaLabel={`${title} in ${environment.name}`}
      onDismiss={onClose}
      className={styles.modal}
    >
      <form ref={form} onSubmit={submit} className={styles.form}>
        {children}
        {error && <ErrorBox error={error} />}
        <Modal.ButtonRow>
          <Button variant="secondary" fill="outline" type="button" onClick={onClose}>
            {busy || done ? 'Close' : leaveLabel(confirmLabel)}
          </Button>
          {!done && (
            <Button
              type="submit"
              variant={destructive || environment.production ? 'destructive' : 'primary'}
              disabled={busy || disabledReason !== null}
              icon={busy ? 'spinner' : undefined}
              tooltip={disabledReason ?? undefined}
              autoFocus={disabledReason === null}
            >
              {confirmLabel}
            </Button>
          )}
        </Modal.ButtonRow>
      </form>
    </Modal>
  )
}

/**
 * Keeps the focus in the dialog while it opens: a list of actions that opened it closes at the same moment and gives
 * the focus to its own button, up to a few frames later.
 */
function useFocusWithinDialog(form: RefObject<HTMLFormElement>): void {
  useEffect(() => {
    const dialog = form.current?.closest('[role="dialog"]')
    let focused = form.current?.querySelector<HTMLElement>(FOCUSABLE)
    let frames = FRAMES_UNTIL_OPEN
    let next = 0
    const takeFocus = (): void => {
      const active = document.activeElement
      if (!dialog?.contains(active)) focused?.focus()
      else if (active instanceof HTMLElement) focused = active
      if (--frames > 0) next = requestAnimationFrame(takeFocus)
    }
    next = requestAnimationFrame(takeFocus)
    return () => cancelAnimationFrame(next)
  }, [form])
}

/** Grafana's dialog closes with Escape only while it has the focus, which the menu takes when the window changes its width. */
function useEscapeOutside(onClose: () => void): void {
  useEffect(() => {
    const leave = ({ key, target, defaultPrevented }: KeyboardEvent): void => {
      const isInDialog = target instanceof Element && target.closest('[role="dialog"]') !== null
      if (key === 'Escape' && !defaultPrevented && !isInDialog) onClose()
    }
    document.addEventListener('keydown', leave)
    return () => document.removeEventListener('keydown', leave)
  }, [onClose])
}

const getStyles = (theme: GrafanaTheme2) => ({
  modal: css({ width: `min(640px, 96vw)` }),
  form: css({
    // On a phone the options of a choice are wider than the dialog.
    '[role="radiogroup"]': { flexWrap: 'wrap', maxWidth: '100%' },
    // The buttons stay at the bottom while the rest scrolls: what gets the focus is scrolled above them.
    '& > *:not(:last-child) :is(input, textarea, button, label, summary)': { scrollMarginBlockEnd: theme.spacing(12) },
  }),
  heading: css({
    ...theme.typography.h4,
    margin: 0,
    padding: theme.spacing(1.5, 2),
    flexGrow: 1,
    overflowWrap: 'anywhere',
    // The header of a dialog has room for two lines of this size.
    [theme.breakpoints.down('sm')]: { ...theme.typography.h6, margin: 0, padding: theme.spacing(0.5, 1.5) },
  }),
  production: css({ borderInlineStart: `${theme.spacing(0.75)} solid ${theme.colors.error.main}` }),
})
