import { act, renderHook } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { AgentError } from './AgentError'
import { usePolling, useRefreshOnChange } from './usePolling'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  setVisibility('visible')
})

const wait = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms))

function setVisibility(state: 'visible' | 'hidden') {
  Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
  document.dispatchEvent(new Event('visibilitychange'))
}

test('the answer decides the interval, and polling stops while the page is hidden', async () => {
  const fetchData = vi.fn(async () => ({ running: fetchData.mock.calls.length < 3 }))
  renderHook(() => usePolling('a', fetchData, (data) => (data?.running ? 2_000 : 10_000)))
  await wait(0)
  expect(fetchData).toHaveBeenCalledTimes(1)
  await wait(2_000)
  await wait(2_000)
  expect(fetchData).toHaveBeenCalledTimes(3)
  await wait(9_000)
  expect(fetchData).toHaveBeenCalledTimes(3)
  await wait(1_000)
  expect(fetchData).toHaveBeenCalledTimes(4)

  setVisibility('hidden')
  await wait(60_000)
  expect(fetchData).toHaveBeenCalledTimes(4)
  await act(async () => setVisibility('visible'))
  expect(fetchData).toHaveBeenCalledTimes(5)
})

test('a page that is opened in the background polls once it is visible, and a refresh there waits, too', async () => {
  setVisibility('hidden')
  const fetchData = vi.fn(async () => null)
  const { result } = renderHook(() => usePolling('a', fetchData))
  act(() => result.current.refresh())
  await wait(60_000)
  expect(fetchData).not.toHaveBeenCalled()
  await act(async () => setVisibility('visible'))
  expect(fetchData).toHaveBeenCalledTimes(1)
})

test('an answer is kept while later requests fail, with the time of the first failure', async () => {
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

test('another key drops the old answer, also if it arrives late', async () => {
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

test('data is loaded again when a value changes, and not when the value becomes known', () => {
  const refresh = vi.fn()
  const { rerender } = renderHook(({ value }) => useRefreshOnChange(value, refresh), {
    initialProps: { value: null as string | null },
  })
  for (const value of ['7 running', '7 running', null, '7 running']) rerender({ value })
  expect(refresh).not.toHaveBeenCalled()
  rerender({ value: '7 succeeded' })
  expect(refresh).toHaveBeenCalledTimes(1)
})
