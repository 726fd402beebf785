import { beforeEach, expect, test } from 'vitest'
import {
  createClientRegistry,
  MAX_INSTANCES_PER_NAME,
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

const ask = (name: string | null, mark: VersionMark, on: boolean): string | null =>
  clients.recordRequest({ name, instance: null }, mark, on)
const cache = (name: string | null, instance: string, mark: VersionMark, on: boolean): string | null =>
  clients.recordRequest({ name, instance }, mark, on)

beforeEach(() => {
  clockMs = 1_000_000
  clients = createClientRegistry({ now: () => clockMs, longestRequestMs: 30_000 })
})

test('a client has seen a change when it has asked after it', () => {
  ask('a', versionMark(1), false)
  ask('b', versionMark(1), false)
  expect(staleClients(versionMark(2))).toEqual(['a', 'b'])
  ask('a', versionMark(2), true)
  expect(staleClients(versionMark(2))).toEqual(['b'])
})

test('nothing acts on a single evaluation after the longest request: then the client is gone, whatever it was answered', () => {
  ask('off', versionMark(1), false)
  ask('on', versionMark(1), true)
  ask(null, versionMark(1), true)
  clockMs += 30_000
  expect(staleClients(versionMark(2))).toEqual([UNNAMED_CLIENT, 'off', 'on'])
  clockMs += 1
  expect(staleClients(versionMark(2))).toEqual(['off'])
  clockMs += 30_000
  expect(clients.list(versionMark(2))).toEqual([])
  clients.expire()
  clients.merge([])
  expect(clients.takeDirty()).toEqual([])
})

test('a caching client that was answered on is silent after 60 s, and stale from the next change on; one answered off is gone', () => {
  cache('off', 'i-off', versionMark(1), false)
  cache('on', 'i-on', versionMark(1), true)
  clockMs += 60_000
  expect(clients.list(versionMark(1))).toHaveLength(2)
  expect(clients.list(versionMark(1)).map(({ silent }) => silent)).toEqual([false, false])
  clockMs += 1
  expect(clients.list(versionMark(1))).toMatchObject([{ client: 'on', caching: true, stale: false, silent: true }])
  clockMs += 365 * 24 * 3_600_000
  clients.expire()
  expect(staleClients(versionMark(2))).toEqual(['on'])
})

test('another client with the name of a caching client does not make it current, single or caching', () => {
  cache('web-1', 'i1', versionMark(1), true)
  ask('web-1', versionMark(2), false)
  cache('web-1', 'i2', versionMark(2), false)
  expect(clients.list(versionMark(2)).map(({ instance, stale }) => [instance, stale])).toEqual([
    ['', false],
    ['i1', true],
    ['i2', false],
  ])
  cache('web-1', 'i1', versionMark(2), false)
  expect(staleClients(versionMark(2))).toEqual([])
})

test('caching clients without a name are told apart, and so are at most 20 of one name', () => {
  cache(null, 'i1', versionMark(1), true)
  cache(null, 'i2', versionMark(1), true)
  cache(null, 'i1', versionMark(2), false)
  expect(clients.list(versionMark(2)).filter(({ stale }) => stale)).toMatchObject([{ instance: 'i2' }])
  for (let index = 0; index < MAX_INSTANCES_PER_NAME + 5; index++) cache('page', `p${index}`, versionMark(1), true)
  expect(clients.list(versionMark(1)).filter(({ client }) => client === 'page')).toHaveLength(
    MAX_INSTANCES_PER_NAME + 1,
  )
})

test('on for one person is on, until the flag changes: the last answer alone would hide it', () => {
  ask('a', versionMark(1), true)
  ask('a', versionMark(1), false)
  expect(clients.list(versionMark(1))[0]?.answeredOn).toBe(true)
  ask('a', versionMark(2), false)
  expect(clients.list(versionMark(2))[0]?.answeredOn).toBe(false)
})

test('an accepted client is not stale, until it asks again', () => {
  cache('a', 'i', versionMark(1), true)
  clockMs += 60_001
  clients.accept([{ client: 'a', instance: 'i' }], 'ann')
  expect(staleClients(versionMark(2))).toEqual([])
  expect(clients.list(versionMark(2))[0]).toMatchObject({ acceptedBy: 'ann', silent: false })
  cache('a', 'i', versionMark(1), true)
  expect(staleClients(versionMark(2))).toEqual(['a'])
})

test('requests without a usable name count as one client, and only when answered on', () => {
  for (const name of [null, '', '  ', 'a\nb', 'x'.repeat(201), UNNAMED_CLIENT])
    expect(ask(name, versionMark(1), false)).toBeNull()
  expect(clients.list(versionMark(1))).toEqual([])
  for (const name of [null, 'a\nb', UNNAMED_CLIENT]) ask(name, versionMark(1), true)
  expect(clients.list(versionMark(1))).toMatchObject([{ client: UNNAMED_CLIENT }])
  ask(null, versionMark(2), false)
  expect(staleClients(versionMark(2))).toEqual([UNNAMED_CLIENT])
})

test('the client after the thousandth is not told apart, and not forgotten either', () => {
  for (let index = 0; index < MAX_TRACKED_CLIENTS + 500; index++) ask(`client-${index}`, versionMark(1), true)
  expect(clients.list(versionMark(1))).toHaveLength(MAX_TRACKED_CLIENTS + 1)
  ask('client-5', versionMark(2), true)
  ask('client-1400', versionMark(2), true)
  expect(clients.list(versionMark(2)).filter(({ stale }) => !stale)).toMatchObject([
    { client: UNNAMED_CLIENT },
    { client: 'client-5' },
  ])
  cache('page', 'p1', versionMark(2), true)
  expect(clients.list(versionMark(2)).filter(({ caching }) => caching)).toMatchObject([{ client: UNNAMED_CLIENT }])
})

test('an off that is not written is seen by those who asked after it, also once it has a version', () => {
  ask('before', versionMark(4), true)
  ask('after', versionMark(4, 1), false)
  expect(staleClients(versionMark(4, 1))).toEqual(['before'])
  clients.confirmPending(1, 5)
  expect(staleClients(versionMark(5))).toEqual(['before'])
  expect(staleClients(versionMark(6))).toEqual(['after', 'before'])
})

test('the later of two agents counts, whatever it answered', () => {
  ask('a', versionMark(6), false)
  const [mine] = clients.takeDirty()
  clients.merge([{ ...mine!, stamp: mine!.stamp - 1, version: 5, answeredOn: true }])
  expect(staleClients(versionMark(6))).toEqual([])
  clients.merge([{ ...mine!, stamp: mine!.stamp + 1, version: 5, answeredOn: true }])
  expect(staleClients(versionMark(6))).toEqual(['a'])
})

test('propagation is the time to the last client that was live at the change', () => {
  const reported: number[] = []
  const propagation = createPropagationTracker(
    () => clockMs,
    (seconds) => reported.push(seconds),
  )
  for (const name of ['a', 'b', 'hangs']) ask(name, versionMark(1), false)
  propagation.begin(clockMs, clients, versionMark(2), true)
  const see = (name: string): void => propagation.recordSeen(ask(name, versionMark(2), true)!)
  clockMs += 400
  see('a')
  clockMs += 800
  see('b')
  clockMs += 3_000
  see('newcomer')
  propagation.review(clients, versionMark(2))
  expect(reported).toEqual([])
  clockMs += 57_000
  propagation.review(clients, versionMark(2))
  expect(reported).toEqual([1.2])
  expect(propagation.lastSeconds()).toBe(1.2)
})

test('without a live client nothing was propagated, and no figure is made up', () => {
  const reported: number[] = []
  const propagation = createPropagationTracker(
    () => clockMs,
    (seconds) => reported.push(seconds),
  )
  propagation.begin(clockMs, clients, versionMark(2), true)
  ask('late', versionMark(2), true)
  propagation.review(clients, versionMark(2))
  expect(reported).toEqual([])
  expect(propagation.lastSeconds()).toBeNull()
})
