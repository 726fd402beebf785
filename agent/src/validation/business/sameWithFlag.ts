import { setTimeout as delay } from 'node:timers/promises'
import type { Check, Finding } from '../check.ts'
import { ask, notAsked, shown, type Answer } from './ask.ts'

/** Rounds of on, off, on. */
const ROUNDS = 5
/** So many rounds in which both answers stood still and differed are no accident of the traffic between them. */
const DIFFERENT = 3
const PAUSE_MS = 300

/**
 * A GET that must be answered the same with the flag on and off, asked with `X-Sti-Flag` and the flag token
 * (docs/flag.md). Others write meanwhile, so an answer may change between two requests: it is asked on, off and on
 * again, and only a difference that lasts counts.
 */
export function sameWithFlagCheck(name: string, { url, status }: { url: string; status: number }): Check {
  return {
    name,
    layer: 'business',
    seconds: 90,
    async run({ parts, signal }) {
      const rest = { limit: status, query: `GET ${url} with X-Sti-Flag: on, off, on` }
      const asked = (flag: 'on' | 'off'): Promise<Answer> =>
        ask(url, { 'x-sti-flag': flag, authorization: `Bearer ${parts.flagToken}` })
      let different = 0
      let last: Finding | null = null
      for (let round = 1; round <= ROUNDS; round++) {
        if (round > 1) await delay(PAUSE_MS, null, { signal })
        try {
          const on = await asked('on')
          const off = await asked('off')
          const again = await asked('on')
          const deaf = [on, again].find((answer) => answer.flag !== 'on') ?? (off.flag === 'off' ? null : off)
          if (deaf !== null) {
            last = { ...rest, verdict: 'inconclusive', value: deaf.status, detail: unheard(deaf) }
          } else if (same(on, off) || same(off, again)) {
            if (off.status === status)
              return {
                ...rest,
                verdict: 'pass',
                value: status,
                detail: `the same with the flag on and off: ${shown(off)}`,
              }
            const detail = `the same with the flag on and off, but ${shown(off)}, where ${status} is expected`
            last = { ...rest, verdict: 'fail', value: off.status, detail }
          } else if (!same(on, again)) {
            const detail = `the answer changes from one request to the next, whatever the flag: name a request whose answer stands still`
            last = { ...rest, verdict: 'inconclusive', value: on.status, detail }
          } else {
            const detail = `another answer with the flag on (${shown(on)}) than off (${shown(off)})`
            last = { ...rest, verdict: 'fail', value: on.status, detail }
            if (++different === DIFFERENT) return last
          }
        } catch (error) {
          last = notAsked(error, rest)
        }
      }
      return last!.verdict === 'fail' && different > 0 && different < DIFFERENT ? seldom(last!, different) : last!
    },
  }
}

function seldom(last: Finding, different: number): Finding {
  const detail = `${last.detail}, in ${different} of ${ROUNDS} rounds: validate again when there is less traffic`
  return { ...last, verdict: 'inconclusive', detail }
}

function same(a: Answer, b: Answer): boolean {
  return a.status === b.status && a.hash === b.hash
}

function unheard(answer: Answer): string {
  const said = answer.flag === null ? 'without the header X-Sti-Flag' : `with X-Sti-Flag: ${answer.flag}`
  return `the application answers ${answer.status} ${said}, so nobody knows what it read by: let it honour X-Sti-Flag (docs/flag.md), or leave sameWithFlag out`
}
