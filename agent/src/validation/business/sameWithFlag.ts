import { setTimeout as delay } from 'node:timers/promises'
import type { ValidationCheck, CheckFinding } from '../check.ts'
import {
  requestApplication,
  toUnreachableFinding,
  describeResponse,
  type ApplicationResponse,
} from './applicationRequest.ts'

/** Rounds of on, off, on. */
const MAX_ROUNDS = 5
/** So many rounds in which both answers stood still and differed are no accident of the traffic between them. */
const MIN_DIFFERING_ROUNDS = 3
const ROUND_DELAY_MS = 300

/**
 * A GET that must be answered the same with the flag on and off, asked with `X-Sti-Flag` and the flag token
 * (docs/flag.md). Others write meanwhile, so an answer may change between two requests: it is asked on, off and on
 * again, and only a difference that lasts counts.
 */
export function sameWithFlagCheck(name: string, { url, status }: { url: string; status: number }): ValidationCheck {
  return {
    name,
    layer: 'business',
    unit: 'count',
    seconds: 90,
    async run({ parts, signal }) {
      const evidence = { limit: status, query: `GET ${url} with X-Sti-Flag: on, off, on` }
      const requestWithFlag = (flag: 'on' | 'off'): Promise<ApplicationResponse> =>
        requestApplication(url, { 'x-sti-flag': flag, authorization: `Bearer ${parts.flagToken}` })
      let differingRounds = 0
      let lastFinding: CheckFinding | null = null
      for (let round = 1; round <= MAX_ROUNDS; round++) {
        if (round > 1) await delay(ROUND_DELAY_MS, null, { signal })
        try {
          const responseOn = await requestWithFlag('on')
          const responseOff = await requestWithFlag('off')
          const responseOnAgain = await requestWithFlag('on')
          const ignoringResponse =
            [responseOn, responseOnAgain].find((answer) => answer.flag !== 'on') ??
            (responseOff.flag === 'off' ? null : responseOff)
          if (ignoringResponse !== null) {
            lastFinding = {
              ...evidence,
              verdict: 'inconclusive',
              value: ignoringResponse.status,
              detail: describeIgnoredFlag(ignoringResponse),
            }
          } else if (isSameResponse(responseOn, responseOff) || isSameResponse(responseOff, responseOnAgain)) {
            if (responseOff.status === status)
              return {
                ...evidence,
                verdict: 'pass',
                value: status,
                detail: `the same with the flag on and off: ${describeResponse(responseOff)}`,
              }
            const detail = `the same with the flag on and off, but ${describeResponse(responseOff)}, where ${status} is expected`
            lastFinding = { ...evidence, verdict: 'fail', value: responseOff.status, detail }
          } else if (!isSameResponse(responseOn, responseOnAgain)) {
            const detail = `the answer changes from one request to the next, whatever the flag: name a request whose answer stands still`
            lastFinding = { ...evidence, verdict: 'inconclusive', value: responseOn.status, detail }
          } else {
            const detail = `another answer with the flag on (${describeResponse(responseOn)}) than off (${describeResponse(responseOff)})`
            lastFinding = { ...evidence, verdict: 'fail', value: responseOn.status, detail }
            if (++differingRounds === MIN_DIFFERING_ROUNDS) return lastFinding
          }
        } catch (error) {
          lastFinding = toUnreachableFinding(error, evidence)
        }
      }
      return lastFinding!.verdict === 'fail' && differingRounds > 0 && differingRounds < MIN_DIFFERING_ROUNDS
        ? downgradeRareDifference(lastFinding!, differingRounds)
        : lastFinding!
    },
  }
}

function downgradeRareDifference(last: CheckFinding, different: number): CheckFinding {
  const detail = `${last.detail}, in ${different} of ${MAX_ROUNDS} rounds: validate again when there is less traffic`
  return { ...last, verdict: 'inconclusive', detail }
}

function isSameResponse(a: ApplicationResponse, b: ApplicationResponse): boolean {
  return a.status === b.status && a.hash === b.hash
}

function describeIgnoredFlag(response: ApplicationResponse): string {
  const flagHeader = response.flag === null ? 'without the header X-Sti-Flag' : `with X-Sti-Flag: ${response.flag}`
  return `the application answers ${response.status} ${flagHeader}, so nobody knows what it read by: let it honour X-Sti-Flag (docs/flag.md), or leave sameWithFlag out`
}
