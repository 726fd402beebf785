/** One block of requests as a table of two variants: all requests, and those with an event (failed, or slow). */
export interface EventTable {
  readonly on: { readonly all: number; readonly events: number }
  readonly off: { readonly all: number; readonly events: number }
}

/** Larger tables are scaled down, so that a block costs a bounded time; this only makes the evidence weaker. */
const MAX_REQUESTS = 4_000

/**
 * The logarithm of an e-value (its expectation is at most 1 while the odds ratio of an event, on against off, is at most
 * e^`allowed`): the likelihood ratio of the table given its margins, for a log odds ratio of `allowed` + `effect` against
 * `allowed`. Given how many requests each variant had and how many events there were, the events are a random draw from
 * the requests, so whatever hits both variants alike, such as a stalled machine, cancels. R. A. Fisher, The logic of
 * inductive inference, Journal of the Royal Statistical Society 98 (1935); as evidence that can be multiplied and looked
 * at at any time: R. J. Turner, A. Ly and P. D. Grünwald, Generic e-variables for exact sequential k-sample tests that
 * allow for optional stopping, Journal of Statistical Planning and Inference 230 (2024).
 */
export function logConditionalEvidence(table: EventTable, allowed: number, effects: readonly number[]): number[] {
  const { on, off } = scaleDown(table)
  const events = on.events + off.events
  const least = Math.max(0, events - off.all)
  const most = Math.min(on.all, events)
  if (least >= most) return effects.map(() => 0)
  const logWeights = hypergeometricLogWeights(on.all, off.all, events, least, most)
  const logSum = (tilt: number): number => logSumExp(logWeights, tilt, least)
  const reference = logSum(allowed)
  return effects.map((effect) => effect * on.events + reference - logSum(allowed + effect))
}

/**
 * The logarithm of an e-value while at most `ratio` of all requests have an event: the likelihood ratio of a Poisson count.
 * A. Wald, Sequential tests of statistical hypotheses, Annals of Mathematical Statistics 16 (1945).
 */
export function logRatioEvidence(
  { all, events }: EventTable['on'],
  ratio: number,
  effects: readonly number[],
): number[] {
  return effects.map((effect) => effect * events - all * ratio * Math.expm1(effect))
}

function scaleDown(table: EventTable): EventTable {
  const factor = MAX_REQUESTS / (table.on.all + table.off.all)
  if (factor >= 1) return table
  const scale = ({ all, events }: EventTable['on']): EventTable['on'] => ({
    all: Math.round(all * factor),
    events: Math.round(events * factor),
  })
  return { on: scale(table.on), off: scale(table.off) }
}

/** The logarithm of each probability that `least`, `least` + 1, … events are of the variant on, up to a constant. */
function hypergeometricLogWeights(on: number, off: number, events: number, least: number, most: number): number[] {
  const weights = [0]
  for (let count = least; count < most; count++) {
    const ratio = ((on - count) * (events - count)) / ((count + 1) * (off - events + count + 1))
    weights.push(weights.at(-1)! + Math.log(ratio))
  }
  return weights
}

function logSumExp(logWeights: readonly number[], tilt: number, least: number): number {
  let highest = -Infinity
  for (let index = 0; index < logWeights.length; index++)
    highest = Math.max(highest, logWeights[index]! + tilt * (least + index))
  let sum = 0
  for (let index = 0; index < logWeights.length; index++)
    sum += Math.exp(logWeights[index]! + tilt * (least + index) - highest)
  return highest + Math.log(sum)
}
