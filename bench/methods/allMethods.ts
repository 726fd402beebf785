import type { Method } from '../method.ts'
import { clearColumn } from './clearColumn.ts'
import { engineBackfill } from './engineBackfill.ts'
import { pgroll } from './pgroll.ts'
import { pgrollTechnique } from './pgrollTechnique.ts'
import { keyRanges } from './keyRanges.ts'
import { singleUpdate } from './singleUpdate.ts'

export const METHODS: readonly Method[] = [
  singleUpdate,
  keyRanges(1000),
  keyRanges(50_000),
  pgrollTechnique,
  pgroll,
  engineBackfill({ name: 'engine', workers: 1 }),
  engineBackfill({ name: 'engine-2', workers: 2 }),
  engineBackfill({ name: 'engine-prefill', workers: 2, prefill: true }),
  engineBackfill({ name: 'engine-prefill-90', workers: 2, prefill: true, shares: 90 }),
  clearColumn,
]
