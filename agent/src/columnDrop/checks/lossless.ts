import { classifyError, errorMessage } from '../../database/errors.ts'
import { formatCount } from '../../format/format.ts'
import { countContentLosses, type ContentLosses } from '../../rollout/contentLoss.ts'
import type { DropCheck, DropFinding } from './dropCheck.ts'

/** The archive keeps the content until it is removed, but nothing reads it again except the undo. */
export const lossless: DropCheck = {
  name: 'lossless',
  question: 'Does the type express everything that the legacy columns hold?',
  async run({ sql, rollout, table }) {
    try {
      return judgeLosses(await countContentLosses(sql, rollout, table, 'discriminator'))
    } catch (error) {
      if (classifyError(error) !== 'row') throw error
      // What cannot be counted may be lost: then each column has to be accepted.
      return {
        verdict: 'inconclusive',
        evidence: `the rows that would lose content could not be counted, ${errorMessage(error)}: correct the restore expression, or accept each column`,
        acceptable: rollout.legacyColumns,
      }
    }
  },
}

/** Each column with a loss can be accepted by its name. */
function judgeLosses({ rows, columns }: ContentLosses): DropFinding {
  const losses = columns.filter(({ lostRows }) => lostRows > 0)
  if (losses.length === 0)
    return { verdict: 'pass', evidence: `the type determines every legacy value in ${formatCount(rows)} rows` }
  const findings = losses.map(
    ({ column, lostRows }) =>
      `${column}: ${formatCount(lostRows)} of ${formatCount(rows)} rows hold content that the type does not express`,
  )
  return {
    verdict: 'fail',
    evidence: `${findings.join('; ')}; it is lost with the column: move the content elsewhere, list a column that stays in permanentColumns, or accept each column by its name`,
    findings,
    acceptable: losses.map(({ column }) => column),
  }
}
