import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, useStyles2 } from '@grafana/ui'
import {
  acceptCheckCommand,
  isAcceptedCheck,
  type CheckResult,
  type ValidationLayer,
  type LayerResult,
} from '@sti-rollout/agent/contract'
import { formatCount, formatQuantity, formatValue } from '@sti-rollout/agent/format'
import React from 'react'
import { Section } from '../layout/Section'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { LAYER_TITLES, VERDICT_COLORS } from './verdicts'
import { toSentence } from '../toSentence'

const COLUMNS = ['Verdict', 'Check', 'Value', 'Limit', 'Discrepancies', 'Duration'] as const

interface Props {
  layer: ValidationLayer
  /** Null if no check of the layer was run. */
  result: LayerResult | null
  checks: readonly CheckResult[]
}

/** The checks of one layer with value and limit, and if the layer is required for the flag. */
export function LayerChecks({ layer, result, checks }: Props) {
  return (
    <Section
      title={LAYER_TITLES[layer]}
      state={
        <>
          {result ? (
            <Badge text={result.verdict} color={VERDICT_COLORS[result.verdict]} />
          ) : (
            <Badge text="not run" color="blue" />
          )}
          {result?.required && <Badge text="required for the flag" color="purple" icon="lock" />}
          {result && !result.complete && checks.length > 0 && (
            <Badge text="partial" color="orange" tooltip="A partial layer does not count for the flag." />
          )}
        </>
      }
    >
      {checks.length === 0 ? (
        <p>{result?.detail ? toSentence(result.detail) : 'The latest validation did not include this layer.'}</p>
      ) : (
        <ChecksTable checks={checks} />
      )}
    </Section>
  )
}

/** A table of check results. */
export function ChecksTable({ checks }: { checks: readonly CheckResult[] }) {
  return (
    <ResponsiveTable columns={COLUMNS}>
      <tbody>
        {checks.map((check) => (
          <CheckRow key={`${check.layer} ${check.check}`} check={check} />
        ))}
      </tbody>
    </ResponsiveTable>
  )
}

function CheckRow({ check: result }: { check: CheckResult }) {
  const styles = useStyles2(getStyles)
  const {
    check,
    unit,
    verdict,
    value,
    limit,
    discrepancies,
    detail,
    acceptable,
    accepted,
    sampleKeys,
    query,
    seconds,
  } = result
  return (
    <tr>
      <td data-column={COLUMNS[0]}>
        <Badge text={verdict} color={VERDICT_COLORS[verdict]} />
        {isAcceptedCheck(result) && <Badge text="accepted" color="blue" />}
      </td>
      <td data-column={COLUMNS[1]}>
        <div className={styles.check}>
          <strong>{check}</strong>
          <div className={styles.weak}>{toSentence(detail)}</div>
          {accepted.map(({ subject, reason, by, expiresAt }) => (
            <div key={subject}>{`Accepted by ${by} until ${expiresAt.slice(0, 10)}: ${subject}. ${reason}`}</div>
          ))}
          {acceptable.length > 0 && (
            <div>
              If an admin knows that it is safe: <code>{acceptCheckCommand(check)}</code>, then validate again.
            </div>
          )}
          {sampleKeys.length > 0 && (
            <details>
              <summary>{formatQuantity(sampleKeys.length, 'sample key')}</summary>
              <div className={styles.code}>{sampleKeys.map((key) => key.join(', ')).join(' · ')}</div>
            </details>
          )}
          {query && (
            <details>
              <summary>Query</summary>
              {/* A long query scrolls, so the keyboard has to reach it. */}
              <pre className={styles.query} tabIndex={0}>
                {query}
              </pre>
            </details>
          )}
        </div>
      </td>
      <td data-column={COLUMNS[2]}>{formatValue(value, unit)}</td>
      <td data-column={COLUMNS[3]}>{formatValue(limit, unit)}</td>
      <td data-column={COLUMNS[4]}>{formatCount(discrepancies)}</td>
      <td data-column={COLUMNS[5]}>{formatValue(seconds, 'seconds')}</td>
    </tr>
  )
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
