import type { Operation } from '@sti-rollout/agent/contract'
import { expect, test, vi } from 'vitest'
import { turnFlagOff } from './turnFlagOff'

const agent = (uid: string) => ({ uid, name: uid, expected: null })
const answer = (persisted: boolean) => ({ persisted }) as Operation

test('one agent that persisted the change is enough', async () => {
  const send = vi.fn(async () => answer(true))
  await turnFlagOff([agent('a'), agent('b')], send)
  expect(send.mock.calls).toEqual([[agent('a')]])
})

test('if the database is unavailable, every agent of the environment gets the request', async () => {
  const send = vi.fn(async () => answer(false))
  await expect(turnFlagOff([agent('a'), agent('b'), agent('c')], send)).resolves.toEqual(answer(false))
  expect(send).toHaveBeenCalledTimes(3)
})

test('an unavailable agent does not keep the flag on', async () => {
  const send = vi.fn(async ({ uid }: { uid: string }) => {
    if (uid === 'a') throw new Error('unavailable')
    return answer(true)
  })
  await expect(turnFlagOff([agent('a'), agent('b')], send)).resolves.toEqual(answer(true))
})

test('if no agent accepted the request, the error of the preferred agent is thrown', async () => {
  const send = async ({ uid }: { uid: string }) => Promise.reject(new Error(uid))
  await expect(turnFlagOff([agent('a'), agent('b')], send)).rejects.toThrow('a')
})
