import type { Check } from '../check.ts'
import { coverage } from './coverage.ts'
import { dualWriteTrigger } from './dualWriteTrigger.ts'
import { expressionNeverRaises } from './expressionNeverRaises.ts'
import { noFailedRow } from './noFailedRow.ts'
import { noUnknownType } from './noUnknownType.ts'
import { typeMatchesLegacy } from './typeMatchesLegacy.ts'

/** The integrity layer: is every row what its legacy columns say, and is none lost. */
export const INTEGRITY: readonly Check[] = [
  coverage,
  typeMatchesLegacy,
  noUnknownType,
  noFailedRow,
  expressionNeverRaises,
  dualWriteTrigger,
]
