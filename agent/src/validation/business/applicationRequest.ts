import { createHash } from 'node:crypto'
import { errorMessage } from '../../database/errors.ts'
import { formatBytes } from '../../format/format.ts'
import { boundedGet } from '../../boundedGet.ts'
import type { CheckFinding } from '../check.ts'

/** What a check stores of a response, which never includes the body. */
export interface ApplicationResponse {
  readonly status: number
  /** SHA-256 of the body, in hex. */
  readonly hash: string
  readonly bytes: number
  /** The response header `X-Sti-Flag`, or null. */
  readonly flag: string | null
}

const MAX_RESPONSE_BYTES = 1_000_000
const REQUEST_TIMEOUT_SECONDS = 10

/** The request failed, so nothing is known about the application's response. */
export class ApplicationUnreachable extends Error {}

/**
 * Sends one GET to a URL of the rollout file. Follows no redirects; limited to 1 MB and 10 s.
 * @throws ApplicationUnreachable
 */
export async function requestApplication(
  url: string,
  headers: Record<string, string> = {},
): Promise<ApplicationResponse> {
  try {
    const bounds = { milliseconds: REQUEST_TIMEOUT_SECONDS * 1000, bytes: MAX_RESPONSE_BYTES }
    const response = await boundedGet(url, { ...bounds, headers: { 'cache-control': 'no-cache', ...headers } })
    return {
      status: response.status,
      hash: createHash('sha256').update(response.text).digest('hex'),
      bytes: Buffer.byteLength(response.text),
      flag: response.headers.get('x-sti-flag'),
    }
  } catch (error) {
    throw new ApplicationUnreachable(errorMessage(error))
  }
}

export function toUnreachableFinding(error: unknown, evidence: Pick<CheckFinding, 'limit' | 'query'>): CheckFinding {
  if (!(error instanceof ApplicationUnreachable)) throw error
  return {
    ...evidence,
    verdict: 'inconclusive',
    value: null,
    detail: `the application did not respond (${error.message}): make sure that it is available, then validate again`,
  }
}

export const describeResponse = ({ status, hash, bytes }: ApplicationResponse): string =>
  `HTTP ${status}, ${formatBytes(bytes)}, SHA-256 ${hash}`
