import { css, cx } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Button, Modal, useStyles2 } from '@grafana/ui'
import React, { type FormEvent, type ReactNode } from 'react'
import type { AgentError } from '../agent/AgentError'
import { EnvironmentBadge } from '../rollout/EnvironmentBadge'
import { ErrorBox } from './ErrorBox'

interface Props {
  title: string
  environment: { name: string; production: boolean }
  /** What the button says that does it. */
  confirmLabel: string
  destructive: boolean
  /** Why it cannot be sent yet, or null. */
  disabledReason: string | null
  busy: boolean
  error: AgentError | null
  onConfirm: () => void
  onClose: () => void
  children: ReactNode
}

/** The confirmation of an action: the environment in its title, red in production; an error stays inside. */
export function ConfirmationModal({
  title,
  environment,
  confirmLabel: verb,
  destructive,
  disabledReason: missing,
  busy,
  error,
  children,
  onConfirm,
  onClose,
}: Props) {
  const styles = useStyles2(getStyles)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!busy && missing === null) onConfirm()
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
      <form onSubmit={submit}>
        {children}
        {error && <ErrorBox error={error} />}
        <Modal.ButtonRow>
          <Button variant="secondary" fill="outline" type="button" onClick={onClose}>
            {busy ? 'Close' : 'Do nothing'}
          </Button>
          <Button
            type="submit"
            variant={destructive || environment.production ? 'destructive' : 'primary'}
            disabled={busy || missing !== null}
            icon={busy ? 'spinner' : undefined}
            tooltip={missing ?? undefined}
            autoFocus={missing === null}
          >
            {verb}
          </Button>
        </Modal.ButtonRow>
      </form>
    </Modal>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  modal: css({ width: `min(640px, 96vw)` }),
  heading: css({
    ...theme.typography.h4,
    margin: 0,
    padding: theme.spacing(1.5, 2),
    flexGrow: 1,
    overflowWrap: 'anywhere',
  }),
  production: css({ borderInlineStart: `${theme.spacing(0.75)} solid ${theme.colors.error.main}` }),
})
