import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { LIMIT_NAMES, LIMITS } from '../contract/index.ts'
import { formatValue } from '../format/format.ts'
import { essentialLimits } from './limits.ts'
import { LIMIT_TABLE, NO_TIERS } from './limitTable.ts'

test('docs/rollout-file.md has one row per limit, in order, with the defaults that apply', async () => {
  const text = await readFile(new URL('../../../docs/rollout-file.md', import.meta.url), 'utf8')
  const rows = text
    .split('### `throttle`')[1]!
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  expect(rows.map((cells) => cells[1])).toEqual([...LIMIT_NAMES, 'signals'].map((name) => `\`${name}\``))
  for (const [index, name] of LIMIT_NAMES.entries()) {
    const { unit, paced } = LIMITS[name]
    const { pause, abort } = LIMIT_TABLE[name].defaults
    const [, , pauseCell, abortCell, meaning] = rows[index]!
    // A note may follow the value.
    expect(pauseCell?.split(/ \(|, /)[0], name).toBe(pause === null ? 'none' : formatValue(pause, unit))
    expect(abortCell?.split(' (')[0], name).toBe(abort === null ? '' : formatValue(abort, unit))
    expect(meaning?.includes('Paced.'), name).toBe(paced)
  }
})

test('lock waiters and replication lag apply to every kind of operation; no other limit does', () => {
  const limits = essentialLimits({ throttle: { walBytesPerSecond: 1 }, signals: [{ name: 'queue', limit: 1 }] })
  const applied = LIMIT_NAMES.filter((name) => limits[name].pause !== null)
  expect(applied).toEqual(['lockWaiters', 'replicationLagBytes', 'replicationLagSeconds'])
  expect(limits.signals).toEqual({ queue: NO_TIERS })
})
