import { execFileSync } from 'node:child_process'
import { hostname } from 'node:os'
import { expect } from 'vitest'
import { pollLocalHost } from './localHost.ts'
import { parseDiskOperations, parseMemory, parseNetworkBytes } from './procfs.ts'
import { isKnown, type Reading } from './reading.ts'
import { waitForValue } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

test.runIf(process.platform === 'linux')('the readings of this machine match df and the kernel', async () => {
  const host = pollLocalHost({ diskFolder: '/', intervalMs: 200, now: Date.now })
  expect(host.read().cpu).toEqual({ unknown: 'it has not been read yet' })
  host.start()
  const first = await waitForValue(host.read, ({ memory }) => isKnown(memory))
  expect(first.cpu).toEqual({ unknown: 'the first interval is not over yet' })
  const end = Date.now() + 1_000
  while (Date.now() < end) {
    for (let i = 0; i < 1e6; i++) Math.sqrt(i)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const busy = host.read()
  host.stop()
  expect(busy.host).toBe(hostname())
  expect(knownValue(busy.cpu)).toBeGreaterThan(0.1)
  expect(knownValue(busy.cpu)).toBeLessThanOrEqual(1)
  expect(knownValue(busy.memory)).toBeGreaterThan(0)
  expect(knownValue(busy.memory)).toBeLessThan(1)
  const df = /(\d+)%/.exec(execFileSync('df', ['--output=pcent', '/']).toString())
  expect(Math.abs(knownValue(busy.disk) - Number(df![1]) / 100)).toBeLessThan(0.02)
})

test('the formats of /proc: only physical disks, no loopback, available memory', () => {
  const disks = `   7       0 loop0 9 0 0 0 9 0 0 0 0 0 0
 254       0 vda 472616 28294 14951818 519245 112879 588574 43520464 174250 0 54040 698612
 254       1 vda1 99 0 0 0 99 0 0 0 0 0 0
 259       0 nvme0n1 4 0 0 0 6 0 0 0 0 0 0\n`
  expect(parseDiskOperations(disks, (name) => ['vda', 'nvme0n1'].includes(name))).toEqual({
    read: 472_620,
    write: 112_885,
  })
  expect(parseDiskOperations(disks, () => false)).toBeNull()
  const dev = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:  112595     384    0    0    0     0          0         0   112595     384    0    0    0     0       0          0
  eth0: 1000       7    0    0    0     0          0         0      300       0    0    0    0     0       0          0
  eth1:20       7    0    0    0     0          0         0      1       0    0    0    0     0       0          0\n`
  expect(parseNetworkBytes(dev)).toEqual({ receive: 1_020, transmit: 301 })
  expect(() => parseMemory('MemTotal: 8 kB\n')).toThrow('/proc/meminfo has no MemAvailable')
})

function knownValue(reading: Reading<number>): number {
  if (!isKnown(reading)) throw new Error(reading.unknown)
  return reading.value
}
