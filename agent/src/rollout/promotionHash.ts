import { canonicalHash } from '../signature/canonicalJson.ts'
import type { RolloutFile } from './rolloutFile.ts'

/** Where things are, how hard they may be used and who is called: this differs from environment to environment. */
const ENVIRONMENT_SPECIFIC_KEYS: readonly (keyof RolloutFile)[] = [
  ...(['api', 'host', 'throttle', 'backup', 'contacts', 'automaticRollback', 'rehearsal', 'promotion'] as const),
]

/**
 * SHA-256 of what a rollout file says of the change itself and of how it is judged: what one environment proved holds
 * for another one with the same hash. Of signals and checks the PromQL and the origins of requests are left out too.
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
