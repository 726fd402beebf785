import { css, cx } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Icon, type IconName, Spinner, TextLink, useStyles2 } from '@grafana/ui'
import React from 'react'
import { environmentPlace } from '../agent/useEnvironment'
import { EnvironmentBadge } from '../rollout/EnvironmentBadge'
import { routes } from '../routes'
import type { FleetMember } from './fleetMember'
import { adviceFor, type FleetRequest, type MemberPreview } from './memberActions'
import { memberState } from './memberState'
import type { MemberOutcome } from './useFleetRequest'

interface Props {
  members: readonly FleetMember[]
  request: FleetRequest
  /** Null: the action does not wait for previews. */
  previews: Readonly<Record<string, MemberPreview>> | null
  outcomes: Readonly<Record<string, MemberOutcome>>
}

interface Line {
  readonly icon: IconName | 'spinner' | null
  readonly tone: 'good' | 'bad' | 'warning' | 'plain'
  readonly text: string
  readonly more: readonly string[]
  readonly operationId: number | null
}

/** The members of a confirmation, each with its state, its preview, and then what happened there. */
export function MemberList({ members, request, previews, outcomes }: Props) {
  const styles = useStyles2(getStyles)
  return (
    <ul className={styles.list} aria-label="Members" aria-live="polite">
      {failedFirst(members, outcomes).map((member) => {
        const { icon, tone, text, more, operationId } = toLine(member)
        return (
          <li key={member.key} className={styles.member}>
            <div>
              <EnvironmentBadge name={member.environment ?? member.label} production={member.production} />
              {member.label !== member.environment && member.environment !== null && (
                <div className={styles.more}>{member.agents.map(({ name }) => name).join(', ')}</div>
              )}
            </div>
            <div className={styles.state}>
              <span className={cx(styles[tone])}>
                {icon === 'spinner' ? <Spinner inline size="sm" /> : icon && <Icon name={icon} />} {text}
              </span>{' '}
              {operationId !== null && member.row && (
                <TextLink
                  href={routes.operation(
                    environmentPlace({ name: member.row.environment, agent: member.agents[0] }),
                    request.rollout,
                    operationId,
                  )}
                  inline
                >
                  {`operation ${operationId}`}
                </TextLink>
              )}
              {more.map((line) => (
                <div key={line} className={styles.more}>
                  {line}
                </div>
              ))}
            </div>
          </li>
        )
      })}
    </ul>
  )

  function toLine(member: FleetMember): Line {
    const outcome = outcomes[member.key]
    const now = `now ${memberState(member).text}`
    const line = { icon: null, tone: 'plain', text: now, more: [], operationId: null } as const
    switch (outcome?.state) {
      case 'waiting':
        return { ...line, text: 'waiting' }
      case 'sending':
        return { ...line, icon: 'spinner', text: 'sending' }
      case 'done': {
        const { text, warnings, operationId } = outcome.result
        const hasWarnings = warnings.length > 0
        return {
          icon: hasWarnings ? 'exclamation-triangle' : 'check',
          tone: hasWarnings ? 'warning' : 'good',
          text,
          more: warnings,
          operationId,
        }
      }
      case 'failed': {
        const { message, reasons } = outcome.error
        const advice = adviceFor(outcome.error, request, member.environment)
        const more = [...reasons.filter((reason) => reason !== message), ...(advice === null ? [] : [advice])]
        return { ...line, icon: 'times', tone: 'bad', text: `Failed: ${message}`, more }
      }
    }
    const preview = previews?.[member.key]
    if (Object.keys(outcomes).length > 0) return { ...line, text: 'left out', more: preview?.texts ?? [] }
    if (previews === null) return line
    if (preview === undefined) return { ...line, icon: 'spinner', text: 'loading the preview' }
    return preview.allowed
      ? { ...line, more: preview.texts }
      : { ...line, icon: 'lock', tone: 'warning', text: 'left out', more: preview.texts }
  }
}

/** What needs a person comes first, once it is known. */
function failedFirst(members: readonly FleetMember[], outcomes: Props['outcomes']): readonly FleetMember[] {
  const rank = ({ key }: FleetMember) => (outcomes[key]?.state === 'failed' ? 0 : 1)
  return [...members].sort((a, b) => rank(a) - rank(b))
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({
    listStyle: 'none',
    margin: theme.spacing(0, 0, 2),
    padding: 0,
    fontVariantNumeric: 'tabular-nums',
    borderBlockStart: `1px solid ${theme.colors.border.weak}`,
  }),
  member: css({
    display: 'grid',
    gridTemplateColumns: 'minmax(160px, auto) minmax(0, 1fr)',
    gap: theme.spacing(0.5, 1.5),
    padding: theme.spacing(0.75, 0),
    borderBlockEnd: `1px solid ${theme.colors.border.weak}`,
    [theme.breakpoints.down('sm')]: { gridTemplateColumns: 'minmax(0, 1fr)' },
  }),
  state: css({ overflowWrap: 'anywhere' }),
  more: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
  good: css({ color: theme.colors.success.text }),
  bad: css({ color: theme.colors.error.text }),
  warning: css({ color: theme.colors.warning.text }),
  plain: css({}),
})
