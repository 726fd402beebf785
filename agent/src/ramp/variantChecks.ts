import { comparisonMargins } from '../comparison/requiredRequests.ts'
import type { SignalComparison, VariantComparison } from '../contract/index.ts'
import type { ValidationCheck } from '../validation/check.ts'

/** The checks of a step with a control group: requests by type against requests by legacy columns. */
export const VARIANT_CHECKS = ['variant-latency', 'variant-errors'] as const

/** They replace the comparison with the baseline, whose readings mix both variants and another time. */
export function variantChecks(comparison: VariantComparison): ValidationCheck[] {
  return [
    variantCheck('variant-latency', 'multiple', comparison.latency, (file) => 1 + comparisonMargins(file).increase),
    variantCheck('variant-errors', 'ratio', comparison.errors, ({ limits }) => limits.errorRatio),
  ]
}

function variantCheck(
  name: (typeof VARIANT_CHECKS)[number],
  unit: ValidationCheck['unit'],
  { verdict, value, detail }: SignalComparison,
  limit: (file: Parameters<ValidationCheck['run']>[0]['rollout']['file']) => number,
): ValidationCheck {
  return {
    name,
    layer: 'performance',
    unit,
    run: ({ rollout }) => Promise.resolve({ verdict, value, limit: limit(rollout.file), detail }),
  }
}
