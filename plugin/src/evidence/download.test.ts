import { expect, test } from 'vitest'
import { downloadFileName } from './download'

test('a file name has subject, rollout, environment, and time, and no character that a file system refuses', () => {
  const at = new Date('2026-11-26T16:03:05.123Z')
  expect(downloadFileName('report', 'vehicles', 'staging', 'json', at)).toBe(
    'sti-report-vehicles-staging-20261126T160305Z.json',
  )
  expect(downloadFileName('report', '../a b', 'eu/west', 'md', at)).toBe(
    'sti-report-..-a-b-eu-west-20261126T160305Z.md',
  )
})
