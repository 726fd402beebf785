import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import type { Operation } from '@sti-rollout/agent/contract'
import { formatCount } from '@sti-rollout/agent/format'
import React from 'react'
import { formatTime } from '../formatTime'

/** Who requested an operation, when, why, with which parameters, and its result. */
export function OperationParameters({ operation }: { operation: Operation }) {
  const styles = useStyles2(getStyles)
  const { actor, reason, createdAt, startedAt, endedAt, agent, fileHash, parameters, result } = operation
  const facts: Array<[name: string, value: string]> = [
    ['Requested by', `${actor.name} (${actor.level}, via ${actor.via})`],
    ['Reason', reason ?? '–'],
    ['Requested', formatTime(createdAt)],
    ['Started', formatTime(startedAt)],
    ['Ended', formatTime(endedAt)],
    ['Agent', agent ?? '–'],
    ['Rollout file', fileHash.slice(0, 12)],
    ...Object.entries(parameters).map(([name, value]): [string, string] => [toWords(name), toText(value)]),
    ...Object.entries(result ?? {}).map(([name, value]): [string, string] => [
      `Result: ${toWords(name)}`,
      toText(value),
    ]),
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

const toWords = (name: string) => name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`)
function toText(value: unknown): string {
  if (typeof value === 'number') return formatCount(value)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

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
