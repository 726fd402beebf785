import { canonicalHash } from '../signature/canonicalJson.ts'
import type { RolloutFile } from './rolloutFile.ts'

/** Keys that may differ between environments: addresses, limits of load, and contacts. */
const ENVIRONMENT_SPECIFIC_KEYS: readonly (keyof RolloutFile)[] = [
  ...(['api', 'host', 'throttle', 'backup', 'contacts', 'automaticRollback', 'rehearsal', 'promotion'] as const),
]

/**
 * SHA-256 of the change itself and of how it is validated: a validation of one environment applies to another one
 * with the same hash. The PromQL of signals and the origins of requests are also excluded.
 */
export function promotionHash(file: RolloutFile): string {
  const portableEntries = Object.entries(file).filter(
    ([key]) => !ENVIRONMENT_SPECIFIC_KEYS.includes(key as keyof RolloutFile),
  )
  return canonicalHash({
    ...Object.fromEntries(portableEntries),
    signals: file.signals.map(({ name, sql, limit }) => ({ name, sql, limit })),
    checks: file.checks.map(({ request, ...check }) => ({
      ...check,
      request: request && { ...request, url: withoutOrigin(request.url) },
    })),
  })
}

function withoutOrigin(address: string): string {
  const { pathname, search } = new URL(address)
  return pathname + search
}
