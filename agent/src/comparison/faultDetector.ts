/**
 * Sequential evidence for a fault that may begin at any time. It may be looked at after every block.
 *
 * The sum of e-processes that start with the step (they hold half of the error probability, since most faults begin with
 * the change) and anew in every second after it, over a mixture of effects: an e-detector. J. Shin, A. Ramdas and
 * A. Rinaldo, E-detectors: a nonparametric framework for sequential change detection, New England Journal of Statistics
 * in Data Science 2 (2024). While nothing is wrong, the expected sum after t seconds is at most HORIZON_SECONDS + t, so
 * that by Doob's inequality it reaches the threshold within HORIZON_SECONDS with a probability of at most
 * `errorProbability`. J. Ville, Étude critique de la notion de collectif (1939); for the use of such evidence: R. Johari,
 * P. Koomen, L. Pekelis and D. Walsh, Always valid inference, Operations Research 70 (2022).
 */
export interface FaultDetector {
  /** Adds the evidence of one block: for each effect, the logarithm of its e-value. */
  add(logEvidence: readonly number[], seconds: number): void
  /** An always-valid probability of this much evidence or more without a fault; below `errorProbability`: a fault. */
  probability(): number
}

/** The time over which the error probability is bounded; a longer step has it once for each such time. */
export const HORIZON_SECONDS = 600
/** Evidence beyond the threshold is not accumulated much further, so that the end of a fault shows within seconds. */
const MAX_LOG_EXCESS = Math.log(1_000)

export function createFaultDetector(effects: number, errorProbability: number): FaultDetector {
  const threshold = (2 * HORIZON_SECONDS) / errorProbability
  const maximum = Math.log(threshold) + MAX_LOG_EXCESS
  const logSums = Array<number>(effects).fill(Math.log(HORIZON_SECONDS / effects))
  return {
    add(logEvidence, seconds) {
      const started = Math.log(seconds / effects)
      logSums.forEach((logSum, index) => {
        logSums[index] = Math.min(maximum, logEvidence[index]! + logAdd(logSum, started))
      })
    },
    probability: () => Math.min(1, (2 * HORIZON_SECONDS) / logSums.reduce((sum, logSum) => sum + Math.exp(logSum), 0)),
  }
}

function logAdd(a: number, b: number): number {
  const [high, low] = a > b ? [a, b] : [b, a]
  return high + Math.log1p(Math.exp(low - high))
}
