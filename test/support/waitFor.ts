import { setTimeout as sleep } from 'node:timers/promises'

export interface WaitOptions {
  /** Default: 60. A test that is about a time names it. */
  readonly seconds?: number
  /** Default: 25. */
  readonly intervalMs?: number
  /** For servers that are stopped on purpose: an error of the read means "not yet". A StopWaitingError always ends the wait. */
  readonly ignoreErrors?: boolean
}

/** Thrown by a read when waiting longer cannot help. */
export class StopWaitingError extends Error {}

/** Reads until the result is neither false, null nor undefined, and returns it. The error names the condition. */
export async function waitFor<T>(
  condition: string,
  read: () => T | Promise<T>,
  { seconds = 60, intervalMs = 25, ignoreErrors = false }: WaitOptions = {},
): Promise<Exclude<T, null | undefined | false>> {
  let lastError: unknown
  for (const end = Date.now() + seconds * 1000; ; await sleep(intervalMs)) {
    try {
      const result = await read()
      if (result !== null && result !== undefined && result !== false)
        return result as Exclude<T, null | undefined | false>
      lastError = undefined
    } catch (error) {
      if (!ignoreErrors || error instanceof StopWaitingError) throw error
      lastError = error
    }
    if (Date.now() > end) throw new Error(`${condition}: not within ${seconds} s`, { cause: lastError })
  }
}

/** Reads until the value meets the condition, and returns it. The error shows the last value. */
export async function waitForValue<T>(
  read: () => T | Promise<T>,
  isWanted: (value: T) => boolean,
  seconds = 10,
): Promise<T> {
  let value: T | undefined
  const wanted = async (): Promise<{ value: T } | null> => {
    value = await read()
    return isWanted(value) ? { value } : null
  }
  try {
    return (await waitFor('the expected value', wanted, { seconds, intervalMs: 50 })).value
  } catch (error) {
    throw new Error(`${(error as Error).message}; last value: ${JSON.stringify(value)}`, { cause: error })
  }
}

/** True if the address answers with a 2xx status; false for any other status or no answer. */
export function isOk(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  )
}
