import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, useStyles2 } from '@grafana/ui'
import type { CheckResult, Layer, LayerResult } from '@sti-rollout/agent/contract'
import React from 'react'
import { Section } from '../layout/Section'
import { WideTable } from '../layout/WideTable'
import { duration, rows } from '../words/numbers'
import { inUnit } from './found'
import { TITLES, VERDICTS } from './verdicts'

const COLUMNS = ['Verdict', 'Check', 'Found', 'Limit', 'Rows against it', 'Took'] as const

interface Props {
  layer: Layer
  /** What the layer came to; null when none of its checks was run. */
  result: LayerResult | null
  checks: readonly CheckResult[]
}

/** The checks of one layer: what was found, beside what may be; whether the flag needs it. */
export function Checks({ layer, result, checks }: Props) {
  return (
    <Section
      title={TITLES[layer]}
      state={
        <>
          {result ? (
            <Badge text={result.verdict} color={VERDICTS[result.verdict]} />
          ) : (
            <Badge text="not run" color="blue" />
          )}
          {result?.required && <Badge text="the flag needs it" color="purple" icon="lock" />}
          {result && !result.complete && checks.length > 0 && (
            <Badge text="a part of it" color="orange" tooltip="Of a part of a layer nothing follows for the flag." />
          )}
        </>
      }
    >
      {checks.length === 0 ? (
        <p>{result?.detail ? sentence(result.detail) : 'The last validation did not ask for it.'}</p>
      ) : (
        <ChecksTable checks={checks} />
      )}
    </Section>
  )
}

/** Checks with what each of them found. */
export function ChecksTable({ checks }: { checks: readonly CheckResult[] }) {
  return (
    <WideTable columns={COLUMNS}>
      <tbody>
        {checks.map((check) => (
          <Row key={`${check.layer} ${check.check}`} check={check} />
        ))}
      </tbody>
    </WideTable>
  )
}

function Row({ check: result }: { check: CheckResult }) {
  const styles = useStyles2(getStyles)
  const { check, verdict, value, limit, discrepancies, detail, sampleKeys, query, seconds } = result
  return (
    <tr>
      <td data-column={COLUMNS[0]}>
        <Badge text={verdict} color={VERDICTS[verdict]} />
      </td>
      <td data-column={COLUMNS[1]}>
        <div className={styles.check}>
          <strong>{check}</strong>
          <div className={styles.weak}>{sentence(detail)}</div>
          {sampleKeys.length > 0 && (
            <details>
              <summary>{`${rows(sampleKeys.length)} of their keys`}</summary>
              <div className={styles.code}>{sampleKeys.map((key) => key.join(', ')).join(' · ')}</div>
            </details>
          )}
          {query && (
            <details>
              <summary>What was asked</summary>
              {/* A long query scrolls, and the keyboard has to reach it. */}
              <pre className={styles.query} tabIndex={0}>
                {query}
              </pre>
            </details>
          )}
        </div>
      </td>
      <td data-column={COLUMNS[2]}>{inUnit(result, value)}</td>
      <td data-column={COLUMNS[3]}>{inUnit(result, limit)}</td>
      <td data-column={COLUMNS[4]}>{rows(discrepancies)}</td>
      <td data-column={COLUMNS[5]}>{duration(seconds)}</td>
    </tr>
  )
}

/** The agent's details are sentences without capital and full stop. */
function sentence(text: string): string {
  const [first = ''] = text
  return `${first.toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
}

const getStyles = (theme: GrafanaTheme2) => ({
  check: css({ maxWidth: '72ch', minWidth: 0, overflowWrap: 'anywhere' }),
  weak: css({ color: theme.colors.text.secondary }),
  code: css({ fontFamily: theme.typography.fontFamilyMonospace, fontSize: theme.typography.bodySmall.fontSize }),
  query: css({
    maxHeight: theme.spacing(24),
    overflow: 'auto',
    margin: theme.spacing(0.5, 0, 0),
    whiteSpace: 'pre-wrap',
    wordBreak: 'break-word',
  }),
})
