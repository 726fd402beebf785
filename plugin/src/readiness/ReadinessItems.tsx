import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, useStyles2 } from '@grafana/ui'
import type { ReadinessItem, ReadinessList } from '@sti-rollout/agent/contract'
import { formatAgo } from '@sti-rollout/agent/format'
import React from 'react'
import { Section } from '../layout/Section'
import { formatTime } from '../formatTime'
import { countItems, LIST_TITLES, READINESS_STATE_DISPLAY, formatReadinessCount } from './readinessLists'
import { SignOffButtons } from './SignOffButtons'
import type { SignOff } from './SignOffConfirmation'

interface Props {
  list: ReadinessList
  items: readonly ReadinessItem[]
  /** Why items cannot be signed off now; empty if they can. */
  refusalReasons: readonly string[]
  onSignOff: (signOff: SignOff) => void
}

/** The items of one list of the definition of done, each with its state, its basis, and the next step. */
export function ReadinessItems({ list, items, refusalReasons, onSignOff }: Props) {
  const styles = useStyles2(getStyles)
  return (
    <Section
      title={LIST_TITLES[list]}
      state={<span className={styles.weak}>{formatReadinessCount(countItems(items, list))}</span>}
    >
      <ul className={styles.list}>
        {items
          .filter(({ lists }) => lists.includes(list))
          .map((item) => (
            <li key={item.item} className={styles.item}>
              <span className={styles.state}>
                <Badge
                  text={READINESS_STATE_DISPLAY[item.state].text}
                  color={READINESS_STATE_DISPLAY[item.state].color}
                  icon={READINESS_STATE_DISPLAY[item.state].icon}
                />
              </span>
              <div className={styles.text}>
                <strong>{item.line}</strong>
                <div>
                  {item.sentence}{' '}
                  {item.since && (
                    <span className={styles.weak} title={formatTime(item.since)}>
                      {formatAgo(item.since)}
                    </span>
                  )}
                </div>
                {item.next && <div className={styles.weak}>{item.next}</div>}
              </div>
              {item.by === 'attested' && (
                <SignOffButtons
                  subject={item.line}
                  item={item.item}
                  attestation={item.attestation}
                  verb="Sign off"
                  refusalReasons={refusalReasons}
                  onSignOff={onSignOff}
                />
              )}
            </li>
          ))}
      </ul>
    </Section>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  weak: css({ color: theme.colors.text.secondary }),
  list: css({ listStyle: 'none', margin: 0, padding: 0 }),
  item: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'flex-start',
    gap: theme.spacing(0.5, 1.5),
    padding: theme.spacing(1, 0),
    borderTop: `1px solid ${theme.colors.border.weak}`,
    '&:first-child': { borderTop: 'none' },
  }),
  state: css({ flex: '0 0 7.5em' }),
  text: css({ flex: '1 1 20em', minWidth: 0, maxWidth: '90ch', overflowWrap: 'anywhere' }),
})
