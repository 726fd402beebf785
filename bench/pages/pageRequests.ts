import { setTimeout as sleep } from 'node:timers/promises'
import type { Page, Request } from '@playwright/test'
import type { RepeatedRequest } from './viewers.ts'

/** Requests that are sent together belong to one poll. */
const POLL_WINDOW_MS = 1_000
/** The status of an agent is read once a minute, and not at each poll. */
const STATUS_PATH = /\/v1\/agent$/

export interface PageRequests {
  readonly polls: number
  /** Requests to agents, without those for their status. */
  readonly requests: number
  /** The requests that were sent more than once, with the mean of their intervals. */
  readonly repeated: readonly RepeatedRequest[]
}

/** Counts the requests that a page sends to agents during some seconds. */
export async function countAgentRequests(page: Page, seconds: number): Promise<PageRequests> {
  const sent: {
    readonly pathname: string
    readonly path: string
    readonly cacheControl?: string
    readonly at: number
  }[] = []
  const listen = (request: Request): void => {
    const { pathname, search } = new URL(request.url())
    if (pathname.includes('/api/datasources/proxy/') && !STATUS_PATH.test(pathname))
      sent.push({
        pathname,
        path: pathname + search,
        cacheControl: request.headers()['cache-control'],
        at: Date.now(),
      })
  }
  page.on('request', listen)
  await sleep(seconds * 1000)
  page.off('request', listen)
  const starts = sent
    .map(({ at }) => at)
    .filter((at, index, all) => index === 0 || at - all[index - 1]! > POLL_WINDOW_MS)
  const repeated = [...new Set(sent.map(({ pathname }) => pathname))]
    .map((name) => sent.filter(({ pathname }) => pathname === name))
    .filter((requests) => requests.length > 1)
    .map((requests) => ({
      path: requests.at(-1)!.path,
      cacheControl: requests.at(-1)!.cacheControl,
      intervalSeconds: (requests.at(-1)!.at - requests[0]!.at) / (requests.length - 1) / 1000,
    }))
  return { polls: starts.length, requests: sent.length, repeated }
}

/** Grafana sends what it measured of itself, whatever the page shows. */
const GRAFANA_METRICS_PATH = '/api/frontend-metrics'

/** Counts the requests that a page sends to Grafana's API while its tab is in the background. */
export async function countHiddenRequests(page: Page, seconds: number): Promise<number> {
  await setVisibility(page, 'hidden')
  // A request that was in flight may be followed by one of its panel.
  await sleep(2_000)
  let count = 0
  const listen = (request: Request): void => {
    const { pathname } = new URL(request.url())
    if (pathname.startsWith('/api/') && pathname !== GRAFANA_METRICS_PATH) count++
  }
  page.on('request', listen)
  await sleep(seconds * 1000)
  page.off('request', listen)
  await setVisibility(page, 'visible')
  return count
}

/** Playwright keeps every page visible, so the page is told what a browser tells a tab in the background. */
function setVisibility(page: Page, state: DocumentVisibilityState): Promise<void> {
  return page.evaluate((value) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, value })
    Object.defineProperty(document, 'hidden', { configurable: true, value: value === 'hidden' })
    document.dispatchEvent(new Event('visibilitychange'))
  }, state)
}
