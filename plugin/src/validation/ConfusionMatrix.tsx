import { css, cx } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import type { ConfusionCell } from '@sti-rollout/agent/contract'
import { formatCount } from '@sti-rollout/agent/format'
import React from 'react'
import { Section } from '../layout/Section'

const NO_TYPE = 'no type'

/** Rows by actual type and by the type that the legacy columns imply; correct rows are on the diagonal. */
export function ConfusionMatrix({ cells }: { cells: readonly ConfusionCell[] }) {
  const styles = useStyles2(getStyles)
  const names = [...new Set(cells.flatMap(({ actual, expected }) => [actual ?? NO_TYPE, expected ?? NO_TYPE]))].sort()
  const count = (actual: string, expected: string) =>
    cells
      .filter((cell) => (cell.actual ?? NO_TYPE) === actual && (cell.expected ?? NO_TYPE) === expected)
      .reduce((sum, cell) => sum + cell.rows, 0)
  return (
    <Section title="Actual and expected types">
      <div className={styles.scroll}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">actual ↓ expected →</th>
              {names.map((expected) => (
                <th key={expected} scope="col">
                  {expected}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.map((actual) => (
              <tr key={actual}>
                <th scope="row">{actual}</th>
                {names.map((expected) => {
                  const cellRows = count(actual, expected)
                  const correct = actual === expected && actual !== NO_TYPE
                  return (
                    <td key={expected} className={cx(cellRows > 0 && (correct ? styles.correct : styles.wrong))}>
                      {cellRows > 0 ? formatCount(cellRows) : '–'}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  scroll: css({ overflowX: 'auto' }),
  table: css({
    fontVariantNumeric: 'tabular-nums',
    'th, td': { padding: theme.spacing(0.75, 2), border: `1px solid ${theme.colors.border.weak}` },
    th: { color: theme.colors.text.secondary, fontWeight: 'normal', textAlign: 'start' },
    td: { textAlign: 'end' },
  }),
  correct: css({ color: theme.colors.success.text }),
  wrong: css({ color: theme.colors.error.text, fontWeight: theme.typography.fontWeightBold }),
})
