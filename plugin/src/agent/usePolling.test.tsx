import { act, renderHook } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { AgentError } from './AgentError'
import { usePolling } from './usePolling'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  visible('visible')
})

const wait = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms))

function visible(state: 'visible' | 'hidden') {
  Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
  document.dispatchEvent(new Event('visibilitychange'))
}

test('it asks as often as the answer says, and stops while the page is hidden', async () => {
  const ask = vi.fn(async () => ({ running: ask.mock.calls.length < 3 }))
  renderHook(() => usePolling('a', ask, (data) => (data?.running ? 2_000 : 10_000)))
  await wait(0)
  expect(ask).toHaveBeenCalledTimes(1)
  await wait(2_000)
  await wait(2_000)
  expect(ask).toHaveBeenCalledTimes(3)
  await wait(9_000)
  expect(ask).toHaveBeenCalledTimes(3)
  await wait(1_000)
  expect(ask).toHaveBeenCalledTimes(4)

  visible('hidden')
  await wait(60_000)
  const hidden = ask.mock.calls.length
  await wait(60_000)
  expect(ask).toHaveBeenCalledTimes(hidden)
  await act(async () => visible('visible'))
  expect(ask).toHaveBeenCalledTimes(hidden + 1)
})

test('an answer stays while later ones fail, with the time since when', async () => {
  let broken = false
  const { result } = renderHook(() =>
    usePolling('a', async () => {
      if (broken) throw new AgentError('gone', 'network', 502)
      return 'fine'
    }),
  )
  await wait(0)
  expect(result.current).toMatchObject({ data: 'fine', error: null, failingSince: null })
  broken = true
  await wait(10_000)
  const { failingSince } = result.current
  expect(result.current).toMatchObject({ data: 'fine', error: { message: 'gone' } })
  await wait(10_000)
  expect(result.current.failingSince).toBe(failingSince)
  broken = false
  await wait(10_000)
  expect(result.current).toMatchObject({ data: 'fine', error: null, failingSince: null })
})

test('another key forgets the old answer, also when it arrives late', async () => {
  const late = new Map<string, (value: string) => void>()
  const { result, rerender } = renderHook(
    ({ id }) => usePolling(id, () => new Promise<string>((resolve) => late.set(id, resolve))),
    { initialProps: { id: 'a' } },
  )
  rerender({ id: 'b' })
  await act(async () => late.get('a')?.('of a'))
  expect(result.current.data).toBeNull()
  await act(async () => late.get('b')?.('of b'))
  expect(result.current.data).toBe('of b')
})
