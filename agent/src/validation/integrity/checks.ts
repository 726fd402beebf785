import type { Rollout } from '../../rollout/rollout.ts'
import type { ValidationCheck } from '../check.ts'
import { constraintsValid } from './constraintsValid.ts'
import { coverage } from './coverage.ts'
import { dualWriteApplication } from './dualWriteApplication.ts'
import { dualWriteCanary } from './dualWriteCanary.ts'
import { dualWriteConflicts } from './dualWriteConflicts.ts'
import { dualWriteTrigger } from './dualWriteTrigger.ts'
import { expressionNeverRaises } from './expressionNeverRaises.ts'
import { foreignKeys } from './foreignKeys.ts'
import { keyIndex } from './keyIndex.ts'
import { keyUnique } from './keyUnique.ts'
import { legacyChecksum } from './legacyChecksum.ts'
import { legacyMatchesRestore } from './legacyMatchesRestore.ts'
import { noFailedRow } from './noFailedRow.ts'
import { noNullType } from './noNullType.ts'
import { noUnknownType } from './noUnknownType.ts'
import { nothingLost } from './nothingLost.ts'
import { typeMatchesLegacy } from './typeMatchesLegacy.ts'

/** The integrity layer: every row has the type its legacy columns imply, and no row is lost. */
export const integrityChecks = ({ file }: Rollout): readonly ValidationCheck[] => [
  coverage,
  typeMatchesLegacy,
  noUnknownType,
  noNullType,
  noFailedRow,
  expressionNeverRaises,
  legacyMatchesRestore,
  legacyChecksum,
  nothingLost,
  dualWriteTrigger,
  ...(file.dualWrite === 'trigger' ? [dualWriteCanary, dualWriteConflicts] : [dualWriteApplication]),
  keyUnique,
  keyIndex,
  constraintsValid,
  foreignKeys,
]
