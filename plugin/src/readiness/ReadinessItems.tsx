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
  /** Why nothing can be signed off now. */
  refusalReasons: readonly string[]
  onSignOff: (wanted: SignOff) => void
}

/** One list of the definition of done, item by item: how it stands, on what that rests, how to make it so. */
export function ReadinessItems({ list, items, refusalReasons: refused, onSignOff }: Props) {
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
                  text={READINESS_STATE_DISPLAY[item.state].says}
                  color={READINESS_STATE_DISPLAY[item.state].color}
                  icon={READINESS_STATE_DISPLAY[item.state].icon}
                />
              </span>
              <div className={styles.words}>
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
                  refusalReasons={refused}
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
  words: css({ flex: '1 1 20em', minWidth: 0, maxWidth: '90ch', overflowWrap: 'anywhere' }),
})
