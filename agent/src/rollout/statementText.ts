import { createHash } from 'node:crypto'
import { replaceConstants } from './sqlParser.ts'

const MAX_SUBJECT_LENGTH = 1_000
const MAX_SHORT_LENGTH = 120

/** The statement as one line without its constants; a long one by its beginning and its hash. It names the statement. */
export function statementSubject(statement: string): string {
  const line = oneLine(replaceConstants(statement))
  if (line.length <= MAX_SUBJECT_LENGTH) return line
  return `${line.slice(0, MAX_SUBJECT_LENGTH)}… (${createHash('sha256').update(line).digest('hex').slice(0, 12)})`
}

/** The beginning of a statement, for a sentence. */
export function shortenStatement(statement: string): string {
  const line = oneLine(statement)
  return line.length > MAX_SHORT_LENGTH ? `${line.slice(0, MAX_SHORT_LENGTH - 1)}…` : line
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()
