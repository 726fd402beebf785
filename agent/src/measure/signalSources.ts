import type { RolloutFile } from '../rollout/rolloutFile.ts'
import { canonicalHash } from '../signature/canonicalJson.ts'

/** Hash of what the file says of where signals are read: with another one a signal of the same name is another one. */
export function hashSignalSources({ api, host, signals }: Pick<RolloutFile, 'api' | 'host' | 'signals'>): string {
  return canonicalHash({ api: api ?? null, host, signals })
}
