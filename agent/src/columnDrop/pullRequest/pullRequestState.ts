import { errorMessage } from '../../database/errors.ts'
import type { Reading } from '../../signals/reading.ts'
import { createGithubRequest, type GithubConfig } from './github.ts'

export type PullRequestState = 'open' | 'closed' | 'merged'

const REQUEST_TIMEOUT_MS = 3_000
const MAX_AGE_MS = 30_000

/**
 * Returns a function that reads the state of a pull request by its address. It waits only for the first answer; afterwards it
 * returns the last one, and reads again in the background once that is 30 s old.
 */
export function createPullRequestReader(
  config: GithubConfig,
  now: () => number = Date.now,
): (url: string) => Promise<Reading<PullRequestState>> {
  const known = new Map<string, { readonly reading: Reading<PullRequestState>; readonly readAt: number }>()
  const running = new Map<string, Promise<Reading<PullRequestState>>>()
  async function read(url: string): Promise<Reading<PullRequestState>> {
    const readAt = now()
    const reading = await fetchState(config, url, readAt)
    known.set(url, { reading, readAt })
    return reading
  }
  function refresh(url: string): Promise<Reading<PullRequestState>> {
    const current = running.get(url) ?? read(url).finally(() => running.delete(url))
    running.set(url, current)
    return current
  }
  return async (url) => {
    const last = known.get(url)
    if (last === undefined) return await refresh(url)
    if (now() - last.readAt > MAX_AGE_MS) void refresh(url)
    return last.reading
  }
}

/** Never rejects: what GitHub does not answer is unknown. */
async function fetchState(config: GithubConfig, url: string, at: number): Promise<Reading<PullRequestState>> {
  const number = /\/pull\/(\d+)$/.exec(url)?.[1]
  if (number === undefined) return { unknown: `${url} is not the address of a pull request` }
  try {
    const { data } = await createGithubRequest(config)('GET /repos/{owner}/{repo}/pulls/{pull_number}', {
      owner: config.owner,
      repo: config.repository,
      pull_number: Number(number),
      request: { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) },
    })
    return { value: data.state === 'open' ? 'open' : data.merged_at === null ? 'closed' : 'merged', at }
  } catch (error) {
    const reason = errorMessage(error).replaceAll(config.token, '…')
    return { unknown: `GitHub does not say if ${url} is open (${reason})` }
  }
}
