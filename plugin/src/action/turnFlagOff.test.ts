import type { Operation } from '@sti-rollout/agent/contract'
import { expect, test, vi } from 'vitest'
import { turnFlagOff } from './turnFlagOff'

const agent = (uid: string) => ({ uid, name: uid, expected: null })
const answer = (persisted: boolean) => ({ persisted }) as Operation

test('one agent that wrote it down is enough', async () => {
  const send = vi.fn(async () => answer(true))
  await turnFlagOff([agent('a'), agent('b')], send)
  expect(send.mock.calls).toEqual([[agent('a')]])
})

test('while the database is away every agent of the environment is told', async () => {
  const send = vi.fn(async () => answer(false))
  await expect(turnFlagOff([agent('a'), agent('b'), agent('c')], send)).resolves.toEqual(answer(false))
  expect(send).toHaveBeenCalledTimes(3)
})

test('an agent that is gone does not keep the flag on', async () => {
  const send = vi.fn(async ({ uid }: { uid: string }) => {
    if (uid === 'a') throw new Error('gone')
    return answer(true)
  })
  await expect(turnFlagOff([agent('a'), agent('b')], send)).resolves.toEqual(answer(true))
})

test('when nobody took it, the answer of the asked agent is the error', async () => {
  const send = async ({ uid }: { uid: string }) => Promise.reject(new Error(uid))
  await expect(turnFlagOff([agent('a'), agent('b')], send)).rejects.toThrow('a')
})
