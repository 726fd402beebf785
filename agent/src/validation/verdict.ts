import {
  isAcceptedCheck,
  ValidationLayer,
  type CheckResult,
  type LayerResult,
  type ValidationParameters,
  type Verdict,
} from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { listChecks, selectLayers, NO_CHECKS_REASON } from './layers.ts'

/**
 * The verdict of each layer. A layer without checks is inconclusive. A check that does not apply now neither counts nor
 * makes its layer incomplete.
 */
export function summarizeLayers(
  rollout: Rollout,
  parameters: ValidationParameters,
  results: readonly CheckResult[],
  inapplicable: ReadonlySet<string>,
): LayerResult[] {
  const allChecks = listChecks(rollout)
  return selectLayers(rollout, parameters).map((layer) => {
    const resultsOfLayer = results.filter((result) => result.layer === layer)
    const checksRun = new Set(resultsOfLayer.map((result) => result.check))
    const verdict = layerVerdict(resultsOfLayer)
    const decidingResult = resultsOfLayer.find((result) => result.verdict === verdict && !isAcceptedCheck(result))
    return {
      layer,
      verdict,
      required: rollout.file.validation.requires.includes(layer),
      complete: allChecks.every(
        (check) => check.layer !== layer || checksRun.has(check.name) || inapplicable.has(check.name),
      ),
      detail:
        verdict === 'pass'
          ? ''
          : decidingResult
            ? `${decidingResult.check}: ${decidingResult.detail}`
            : NO_CHECKS_REASON[layer],
    }
  })
}

/**
 * The verdict of a validation covers the layers that the file requires, since it decides if the flag may be turned on.
 * Other layers are reported with their own verdict and neither block nor help. If no required layer ran, the verdict
 * covers the layers that did.
 */
export function overallVerdict(layers: readonly LayerResult[]): Verdict {
  const required = layers.filter((layer) => layer.required)
  return worstVerdict((required.length > 0 ? required : layers).map((layer) => layer.verdict))
}

/**
 * Passed checks / all checks of the integrity layer that no admin accepted, rounded down; null unless all of them ran and
 * one is left.
 */
export function computeIntegrityScore(layers: readonly LayerResult[], results: readonly CheckResult[]): number | null {
  const integrity = layers.find(({ layer }) => layer === ValidationLayer.enum.integrity)
  const integrityResults = results.filter(
    (result) => result.layer === ValidationLayer.enum.integrity && !isAcceptedCheck(result),
  )
  if (!integrity?.complete || integrityResults.length === 0) return null
  return (
    Math.floor(
      (integrityResults.filter((result) => result.verdict === 'pass').length / integrityResults.length) * 10_000,
    ) / 10_000
  )
}

/** An accepted check counts as passed here, and only here. */
function layerVerdict(results: readonly CheckResult[]): Verdict {
  return worstVerdict(results.map((result) => (isAcceptedCheck(result) ? 'pass' : result.verdict)))
}

/** `error` outweighs `fail`, which outweighs `inconclusive`. Without verdicts: `inconclusive`. */
function worstVerdict(verdicts: readonly Verdict[]): Verdict {
  const order: Verdict[] = ['error', 'fail', 'inconclusive']
  return order.find((verdict) => verdicts.includes(verdict)) ?? (verdicts.length === 0 ? 'inconclusive' : 'pass')
}

/** For events: `fail: integrity (coverage: 9 of 10 rows …); inconclusive, not required: business (…)`. */
export function describeVerdict(verdict: Verdict, layers: readonly LayerResult[]): string {
  const parts = layers
    .filter((layer) => layer.verdict !== 'pass')
    .map(({ layer, verdict, required, detail }) => `${layer} ${verdict}${required ? '' : ', not required'} (${detail})`)
  return `verdict ${verdict}${parts.length > 0 ? `: ${parts.join('; ')}` : ''}`
}
