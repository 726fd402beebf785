import { css, cx } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import type { ConfusionCell } from '@sti-rollout/agent/contract'
import React from 'react'
import { Section } from '../layout/Section'
import { rows } from '../words/numbers'

const NONE = 'no type'

/** Rows by the type they hold and the type their legacy columns say: right on the diagonal, wrong beside it. */
export function Confusion({ cells }: { cells: readonly ConfusionCell[] }) {
  const styles = useStyles2(getStyles)
  const names = [...new Set(cells.flatMap(({ actual, expected }) => [actual ?? NONE, expected ?? NONE]))].sort()
  const count = (actual: string, expected: string) =>
    cells
      .filter((cell) => (cell.actual ?? NONE) === actual && (cell.expected ?? NONE) === expected)
      .reduce((sum, cell) => sum + cell.rows, 0)
  return (
    <Section title="Types held and types expected">
      <div className={styles.scroll}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">holds ↓ legacy columns say →</th>
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
                  const found = count(actual, expected)
                  const right = actual === expected && actual !== NONE
                  return (
                    <td key={expected} className={cx(found > 0 && (right ? styles.right : styles.wrong))}>
                      {found > 0 ? rows(found) : '–'}
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
  right: css({ color: theme.colors.success.text }),
  wrong: css({ color: theme.colors.error.text, fontWeight: theme.typography.fontWeightBold }),
})
