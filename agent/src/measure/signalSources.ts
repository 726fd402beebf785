import type { RolloutFile } from '../rollout/rolloutFile.ts'
import { canonicalHash } from '../signature/canonicalJson.ts'

/** The hash of the signal sources in the file: with other sources, a signal of the same name is a different one. */
export function hashSignalSources({ api, host, signals }: Pick<RolloutFile, 'api' | 'host' | 'signals'>): string {
  return canonicalHash({ api: api ?? null, host, signals })
}
