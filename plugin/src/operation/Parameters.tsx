import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import type { Operation } from '@sti-rollout/agent/contract'
import React from 'react'
import { clock } from '../words/numbers'

/** Who asked for it, when, why, with what, and how it ended. */
export function Parameters({ operation }: { operation: Operation }) {
  const styles = useStyles2(getStyles)
  const { actor, reason, createdAt, startedAt, endedAt, agent, fileHash, parameters, result } = operation
  const facts: Array<[name: string, value: string]> = [
    ['Who', `${actor.name} (${actor.level}, through ${actor.via})`],
    ['Why', reason ?? 'no reason given'],
    ['Asked for', clock(createdAt)],
    ['Started', clock(startedAt)],
    ['Ended', clock(endedAt)],
    ['Agent', agent ?? '–'],
    ['Rollout file', fileHash.slice(0, 12)],
    ...Object.entries(parameters).map(([name, value]): [string, string] => [spaced(name), text(value)]),
    ...Object.entries(result ?? {}).map(([name, value]): [string, string] => [`Result: ${spaced(name)}`, text(value)]),
  ]
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

const spaced = (name: string) => name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`)
const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

const getStyles = (theme: GrafanaTheme2) => ({
  facts: css({
    display: 'grid',
    gridTemplateColumns: 'repeat(auto-fill, minmax(min(200px, 100%), 1fr))',
    gap: theme.spacing(1, 3),
    margin: 0,
    dt: { color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize, fontWeight: 'normal' },
    dd: { margin: 0, overflowWrap: 'anywhere' },
  }),
})
