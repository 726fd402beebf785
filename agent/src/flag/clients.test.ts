import { beforeEach, expect, test } from 'vitest'
import { createClients, MAXIMUM_CLIENTS, UNNAMED, type Clients, type Mark } from './clients.ts'
import { createPropagation } from './propagation.ts'

let time = 0
let clients: Clients
const at = (version: number, pending = 0): Mark => ({ version, pending })
const stale = (current: Mark): string[] =>
  clients.list(current).flatMap((client) => (client.stale ? [client.client] : []))

beforeEach(() => {
  time = 1_000_000
  clients = createClients(() => time)
})

test('a client has seen a change when it has asked after it', () => {
  clients.seen('a', at(1), false)
  clients.seen('b', at(1), false)
  expect(stale(at(2))).toEqual(['a', 'b'])
  clients.seen('a', at(2), true)
  expect(stale(at(2))).toEqual(['b'])
})

test('after 60 s without asking a client answered off is gone, one answered on is silent, and stale once the flag has changed', () => {
  clients.seen('off', at(1), false)
  clients.seen('on', at(1), true)
  time += 60_000
  expect(clients.list(at(1))).toHaveLength(2)
  expect(stale(at(1))).toEqual([])
  time += 1
  expect(clients.list(at(1)).map((client) => client.client)).toEqual(['on'])
  expect(stale(at(1))).toEqual([])
  clients.expire()
  expect(clients.silence('off')).toBeNull()
  time += 365 * 24 * 3_600_000
  expect(stale(at(2))).toEqual(['on'])
})

test('on for one person is on, until the flag changes: the last answer alone would hide it', () => {
  clients.seen('a', at(1), true)
  clients.seen('a', at(1), false)
  expect(clients.list(at(1))[0]?.answeredOn).toBe(true)
  clients.seen('a', at(2), false)
  expect(clients.list(at(2))[0]?.answeredOn).toBe(false)
})

test('an accepted client is not stale, until it asks again', () => {
  clients.seen('a', at(1), true)
  time += 60_001
  clients.accept('a', 'ann')
  expect(stale(at(2))).toEqual([])
  expect(clients.list(at(2))[0]?.acceptedBy).toBe('ann')
  clients.seen('a', at(1), true)
  expect(stale(at(2))).toEqual(['a'])
})

test('requests without a usable name count as one client, and only when answered on', () => {
  for (const name of [null, '', '  ', 'a\nb', 'x'.repeat(201), UNNAMED])
    expect(clients.seen(name, at(1), false)).toBeNull()
  expect(clients.list(at(1))).toEqual([])
  for (const name of [null, 'a\nb', UNNAMED]) expect(clients.seen(name, at(1), true)).toBe(UNNAMED)
  expect(clients.list(at(1))).toHaveLength(1)
  clients.seen(null, at(2), false)
  expect(stale(at(2))).toEqual([UNNAMED])
})

test('the client after the thousandth is not told apart, and not forgotten either', () => {
  for (let index = 0; index < MAXIMUM_CLIENTS + 500; index++) clients.seen(`client-${index}`, at(1), true)
  expect(clients.list(at(1))).toHaveLength(MAXIMUM_CLIENTS + 1)
  expect(clients.seen('client-5', at(2), true)).toBe('client-5')
  expect(clients.seen('client-1400', at(2), true)).toBe(UNNAMED)
})

test('an off that is not written is seen by those who asked after it, also once it has a version', () => {
  clients.seen('before', at(4), true)
  clients.seen('after', at(4, 1), false)
  expect(stale(at(4, 1))).toEqual(['before'])
  clients.settle(1, 5)
  expect(stale(at(5))).toEqual(['before'])
  expect(stale(at(6))).toEqual(['after', 'before'])
})

test('the later of two agents counts, whatever it answered', () => {
  clients.seen('a', at(6), false)
  const [mine] = clients.takeDirty()
  clients.merge([{ ...mine!, stamp: mine!.stamp - 1, version: 5, answeredOn: true }])
  expect(stale(at(6))).toEqual([])
  clients.merge([{ ...mine!, stamp: mine!.stamp + 1, version: 5, answeredOn: true }])
  expect(stale(at(6))).toEqual(['a'])
})

test('propagation is the time to the last client that was live at the change', () => {
  const reported: number[] = []
  const propagation = createPropagation(
    () => time,
    (seconds) => reported.push(seconds),
  )
  for (const name of ['a', 'b', 'hangs']) clients.seen(name, at(1), false)
  propagation.begin(time, clients, at(2), true)
  const ask = (name: string): void => propagation.seen(clients.seen(name, at(2), true)!)
  time += 400
  ask('a')
  time += 800
  ask('b')
  time += 3_000
  ask('newcomer')
  propagation.review(clients, at(2))
  expect(reported).toEqual([])
  time += 57_000
  propagation.review(clients, at(2))
  expect(reported).toEqual([1.2])
  expect(propagation.lastSeconds()).toBe(1.2)
})

test('without a live client nothing was propagated, and no figure is made up', () => {
  const reported: number[] = []
  const propagation = createPropagation(
    () => time,
    (seconds) => reported.push(seconds),
  )
  propagation.begin(time, clients, at(2), true)
  clients.seen('late', at(2), true)
  propagation.review(clients, at(2))
  expect(reported).toEqual([])
  expect(propagation.lastSeconds()).toBeNull()
})
