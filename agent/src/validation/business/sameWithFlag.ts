import { setTimeout as delay } from 'node:timers/promises'
import { readFlagUnusedSince } from '../../measure/flagEvaluations.ts'
import type { CheckContext, ValidationCheck, CheckFinding } from '../check.ts'
import { requestStatusCheck } from './requestStatus.ts'
import {
  requestApplication,
  toUnreachableFinding,
  describeResponse,
  type ApplicationResponse,
} from './applicationRequest.ts'

/** Rounds of three requests with the flag on, off, on. */
const MAX_ROUNDS = 5
/** With this many rounds of stable but different responses, concurrent traffic is ruled out as the cause. */
const MIN_DIFFERING_ROUNDS = 3
const ROUND_DELAY_MS = 300

/**
 * A GET that must return the same response with the flag on and off. Requests carry `X-Sti-Flag` and the flag token
 * (docs/flag.md). Concurrent writes may change the response between two requests, so each round requests on, off and on
 * again, and only a persistent difference fails. Once nobody has evaluated the flag for the soak time, it has left the code,
 * and only the status is checked.
 */
export function sameWithFlagCheck(name: string, { url, status }: { url: string; status: number }): ValidationCheck {
  const statusCheck = requestStatusCheck(name, { url, status })
  return {
    name,
    layer: 'business',
    unit: 'count',
    seconds: 90,
    async run(context) {
      const { parts, signal, rollout, run } = context
      const unusedSince = await readFlagUnusedSince(run.database.state, rollout.name, rollout.file.soak)
      if (unusedSince !== null) return await checkWithoutFlag(statusCheck, context, unusedSince)
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
            [responseOn, responseOnAgain].find((response) => response.flag !== 'on') ??
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
                detail: `same response with the flag on and off: ${describeResponse(responseOff)}`,
              }
            const detail = `same response with the flag on and off, but ${describeResponse(responseOff)} (expected HTTP ${status})`
            lastFinding = { ...evidence, verdict: 'fail', value: responseOff.status, detail }
          } else if (!isSameResponse(responseOn, responseOnAgain)) {
            const detail = `the response changes between requests regardless of the flag: use a request with a stable response`
            lastFinding = { ...evidence, verdict: 'inconclusive', value: responseOn.status, detail }
          } else {
            const detail = `the response with the flag on (${describeResponse(responseOn)}) differs from off (${describeResponse(responseOff)})`
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

/** Code without the flag cannot answer both ways, so only the status counts. */
async function checkWithoutFlag(
  statusCheck: ValidationCheck,
  context: CheckContext,
  unusedSince: string,
): Promise<CheckFinding | null> {
  const finding = await statusCheck.run(context)
  return (
    finding && {
      ...finding,
      detail: `${finding.detail}; sameWithFlag no longer applies, since nobody has evaluated the flag since ${unusedSince}`,
    }
  )
}

function downgradeRareDifference(last: CheckFinding, differingRounds: number): CheckFinding {
  const detail = `${last.detail} in ${differingRounds} of ${MAX_ROUNDS} rounds: validate again when there is less traffic`
  return { ...last, verdict: 'inconclusive', detail }
}

function isSameResponse(a: ApplicationResponse, b: ApplicationResponse): boolean {
  return a.status === b.status && a.hash === b.hash
}

function describeIgnoredFlag(response: ApplicationResponse): string {
  const flagHeader = response.flag === null ? 'without the X-Sti-Flag header' : `with X-Sti-Flag: ${response.flag}`
  return `the application returned HTTP ${response.status} ${flagHeader}, so it is unknown which flag value it used: support X-Sti-Flag in the application (docs/flag.md), or remove sameWithFlag`
}
