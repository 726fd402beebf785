import type { Method } from '../method.ts'
import { clear } from './clear.ts'
import { engine } from './engine.ts'
import { pgroll } from './pgroll.ts'
import { pgrollMethod } from './pgrollMethod.ts'
import { ranges } from './ranges.ts'
import { singleUpdate } from './singleUpdate.ts'

export const METHODS: readonly Method[] = [
  singleUpdate,
  ranges(1000),
  ranges(50_000),
  pgrollMethod,
  pgroll,
  engine({ name: 'engine', workers: 1 }),
  engine({ name: 'engine-2', workers: 2 }),
  engine({ name: 'engine-prefill', workers: 2, prefill: true }),
  engine({ name: 'engine-prefill-90', workers: 2, prefill: true, shares: 90 }),
  clear,
]
