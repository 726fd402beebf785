import { beforeEach, expect, test } from 'vitest'
import {
  createClientRegistry,
  MAX_TRACKED_CLIENTS,
  UNNAMED_CLIENT,
  type ClientRegistry,
  type VersionMark,
} from './clientRegistry.ts'
import { createPropagationTracker } from './propagation.ts'

let clockMs = 0
let clients: ClientRegistry
const versionMark = (version: number, pending = 0): VersionMark => ({ version, pending })
const staleClients = (current: VersionMark): string[] =>
  clients.list(current).flatMap((client) => (client.stale ? [client.client] : []))

beforeEach(() => {
  clockMs = 1_000_000
  clients = createClientRegistry(() => clockMs)
})

test('a client has received a change once it has evaluated the flag after it', () => {
  clients.recordRequest('a', versionMark(1), false)
  clients.recordRequest('b', versionMark(1), false)
  expect(staleClients(versionMark(2))).toEqual(['a', 'b'])
  clients.recordRequest('a', versionMark(2), true)
  expect(staleClients(versionMark(2))).toEqual(['b'])
})

test('after 60 s without a request, a client that was off is removed, and a client that was on is silent, and stale once the flag changes', () => {
  clients.recordRequest('off', versionMark(1), false)
  clients.recordRequest('on', versionMark(1), true)
  clockMs += 60_000
  expect(clients.list(versionMark(1))).toHaveLength(2)
  expect(staleClients(versionMark(1))).toEqual([])
  clockMs += 1
  expect(clients.list(versionMark(1)).map((client) => client.client)).toEqual(['on'])
  expect(staleClients(versionMark(1))).toEqual([])
  clients.expire()
  expect(clients.silence('off')).toBeNull()
  clockMs += 365 * 24 * 3_600_000
  expect(staleClients(versionMark(2))).toEqual(['on'])
})

test('a client that was on for one user counts as on until the flag changes, whatever its last answer was', () => {
  clients.recordRequest('a', versionMark(1), true)
  clients.recordRequest('a', versionMark(1), false)
  expect(clients.list(versionMark(1))[0]?.answeredOn).toBe(true)
  clients.recordRequest('a', versionMark(2), false)
  expect(clients.list(versionMark(2))[0]?.answeredOn).toBe(false)
})

test('an accepted client is not stale until its next request', () => {
  clients.recordRequest('a', versionMark(1), true)
  clockMs += 60_001
  clients.accept('a', 'ann')
  expect(staleClients(versionMark(2))).toEqual([])
  expect(clients.list(versionMark(2))[0]?.acceptedBy).toBe('ann')
  clients.recordRequest('a', versionMark(1), true)
  expect(staleClients(versionMark(2))).toEqual(['a'])
})

test('requests without a valid name count as one client, and only if the flag was on for them', () => {
  for (const name of [null, '', '  ', 'a\nb', 'x'.repeat(201), UNNAMED_CLIENT])
    expect(clients.recordRequest(name, versionMark(1), false)).toBeNull()
  expect(clients.list(versionMark(1))).toEqual([])
  for (const name of [null, 'a\nb', UNNAMED_CLIENT])
    expect(clients.recordRequest(name, versionMark(1), true)).toBe(UNNAMED_CLIENT)
  expect(clients.list(versionMark(1))).toHaveLength(1)
  clients.recordRequest(null, versionMark(2), false)
  expect(staleClients(versionMark(2))).toEqual([UNNAMED_CLIENT])
})

test('clients beyond the first thousand are combined, not dropped', () => {
  for (let index = 0; index < MAX_TRACKED_CLIENTS + 500; index++)
    clients.recordRequest(`client-${index}`, versionMark(1), true)
  expect(clients.list(versionMark(1))).toHaveLength(MAX_TRACKED_CLIENTS + 1)
  expect(clients.recordRequest('client-5', versionMark(2), true)).toBe('client-5')
  expect(clients.recordRequest('client-1400', versionMark(2), true)).toBe(UNNAMED_CLIENT)
})

test('clients have received an unwritten off if they evaluated the flag after it, also once it has a version', () => {
  clients.recordRequest('before', versionMark(4), true)
  clients.recordRequest('after', versionMark(4, 1), false)
  expect(staleClients(versionMark(4, 1))).toEqual(['before'])
  clients.confirmPending(1, 5)
  expect(staleClients(versionMark(5))).toEqual(['before'])
  expect(staleClients(versionMark(6))).toEqual(['after', 'before'])
})

test('the later answer of two agents counts, whatever it was', () => {
  clients.recordRequest('a', versionMark(6), false)
  const [mine] = clients.takeDirty()
  clients.merge([{ ...mine!, stamp: mine!.stamp - 1, version: 5, answeredOn: true }])
  expect(staleClients(versionMark(6))).toEqual([])
  clients.merge([{ ...mine!, stamp: mine!.stamp + 1, version: 5, answeredOn: true }])
  expect(staleClients(versionMark(6))).toEqual(['a'])
})

test('the propagation time ends with the last client that was live at the change', () => {
  const reported: number[] = []
  const propagation = createPropagationTracker(
    () => clockMs,
    (seconds) => reported.push(seconds),
  )
  for (const name of ['a', 'b', 'hangs']) clients.recordRequest(name, versionMark(1), false)
  propagation.begin(clockMs, clients, versionMark(2), true)
  const ask = (name: string): void => propagation.recordSeen(clients.recordRequest(name, versionMark(2), true)!)
  clockMs += 400
  ask('a')
  clockMs += 800
  ask('b')
  clockMs += 3_000
  ask('newcomer')
  propagation.review(clients, versionMark(2))
  expect(reported).toEqual([])
  clockMs += 57_000
  propagation.review(clients, versionMark(2))
  expect(reported).toEqual([1.2])
  expect(propagation.lastSeconds()).toBe(1.2)
})

test('without a live client, there is no propagation time', () => {
  const reported: number[] = []
  const propagation = createPropagationTracker(
    () => clockMs,
    (seconds) => reported.push(seconds),
  )
  propagation.begin(clockMs, clients, versionMark(2), true)
  clients.recordRequest('late', versionMark(2), true)
  propagation.review(clients, versionMark(2))
  expect(reported).toEqual([])
  expect(propagation.lastSeconds()).toBeNull()
})
