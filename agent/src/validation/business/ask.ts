import { createHash } from 'node:crypto'
import { messageOf } from '../../engine/errors.ts'
import { boundedGet } from '../../signals/fetch.ts'
import type { Finding } from '../check.ts'

/** What a check keeps of an answer: never its body. */
export interface Answer {
  readonly status: number
  /** SHA-256 of the body, in hex. */
  readonly hash: string
  readonly bytes: number
  /** What the application says of `X-Sti-Flag`, or null. */
  readonly flag: string | null
}

const MOST_BYTES = 1_000_000
const SECONDS = 10

/** The application could not be asked: nothing is known of what it would have answered. */
export class NotAsked extends Error {}

/**
 * One GET of an address of the rollout file: no redirect is followed, at most 1 MB and 10 s.
 * @throws NotAsked
 */
export async function ask(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  try {
    const bounds = { milliseconds: SECONDS * 1000, bytes: MOST_BYTES }
    const answer = await boundedGet(url, { ...bounds, headers: { 'cache-control': 'no-cache', ...headers } })
    return {
      status: answer.status,
      hash: createHash('sha256').update(answer.text).digest('hex'),
      bytes: Buffer.byteLength(answer.text),
      flag: answer.headers.get('x-sti-flag'),
    }
  } catch (error) {
    throw new NotAsked(messageOf(error))
  }
}

export function notAsked(error: unknown, rest: Pick<Finding, 'limit' | 'query'>): Finding {
  if (!(error instanceof NotAsked)) throw error
  return {
    ...rest,
    verdict: 'inconclusive',
    value: null,
    detail: `the application could not be asked, ${error.message}: see that it answers, then validate again`,
  }
}

export const shown = ({ status, hash, bytes }: Answer): string => `${status}, ${bytes} bytes, SHA-256 ${hash}`
