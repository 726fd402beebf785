import { createHash } from 'node:crypto'
import { errorMessage } from '../../database/errors.ts'
import { boundedGet } from '../../signals/boundedGet.ts'
import type { CheckFinding } from '../check.ts'

/** What a check keeps of an answer: never its body. */
export interface ApplicationResponse {
  readonly status: number
  /** SHA-256 of the body, in hex. */
  readonly hash: string
  readonly bytes: number
  /** What the application says of `X-Sti-Flag`, or null. */
  readonly flag: string | null
}

const MAX_RESPONSE_BYTES = 1_000_000
const REQUEST_TIMEOUT_SECONDS = 10

/** The application could not be asked: nothing is known of what it would have answered. */
export class ApplicationUnreachable extends Error {}

/**
 * One GET of an address of the rollout file: no redirect is followed, at most 1 MB and 10 s.
 * @throws NotAsked
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
    detail: `the application could not be asked, ${error.message}: see that it answers, then validate again`,
  }
}

export const describeResponse = ({ status, hash, bytes }: ApplicationResponse): string =>
  `${status}, ${bytes} bytes, SHA-256 ${hash}`
