import { expect, test } from 'vitest'
import { assignWaves, type Member, type WaveEntry } from './waves.ts'

const members: readonly Member[] = ['a', 'b', 'c', 'd', 'e'].map((name) => ({
  name,
  environment: 'staging',
  labels: { ring: name === 'c' ? 'canary' : 'rest' },
  agents: [],
}))

test.each<[string, WaveEntry[], string]>([
  ['without waves, all at once', [], 'abcde'],
  [
    'labels first, then shares of all, rounded up, then the rest',
    [{ labels: { ring: 'canary' } }, { percentage: 50 }],
    'c ab de',
  ],
  ['a share that earlier waves have is left out', [{ labels: { ring: 'rest' } }, { percentage: 50 }], 'abde c'],
  ['labels that nobody has are left out', [{ labels: { ring: 'none' } }, { percentage: 1 }], 'a bcde'],
])('%s', (_, entries, expected) => {
  const waves = assignWaves(members, entries)
  expect(waves.map((wave) => wave.members.map(({ name }) => name).join('')).join(' ')).toBe(expected)
  expect(waves.map(({ number }) => number)).toEqual(waves.map((_wave, index) => index + 1))
})
