import type { Rollout } from '../../rollout/rollout.ts'
import type { Check } from '../check.ts'
import { coverage } from './coverage.ts'
import { dualWriteApplication } from './dualWriteApplication.ts'
import { dualWriteCanary } from './dualWriteCanary.ts'
import { dualWriteConflicts } from './dualWriteConflicts.ts'
import { dualWriteTrigger } from './dualWriteTrigger.ts'
import { expressionNeverRaises } from './expressionNeverRaises.ts'
import { noFailedRow } from './noFailedRow.ts'
import { noUnknownType } from './noUnknownType.ts'
import { typeMatchesLegacy } from './typeMatchesLegacy.ts'

/** The integrity layer: is every row what its legacy columns say, and is none lost. */
export const integrity = ({ file }: Rollout): readonly Check[] => [
  coverage,
  typeMatchesLegacy,
  noUnknownType,
  noFailedRow,
  expressionNeverRaises,
  dualWriteTrigger,
  ...(file.dualWrite === 'trigger' ? [dualWriteCanary, dualWriteConflicts] : [dualWriteApplication]),
]
