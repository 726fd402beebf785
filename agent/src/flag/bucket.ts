import { createHash } from 'node:crypto'

const BUCKET_COUNT = 10_000

/**
 * The bucket of a targeting key, 0 to 9,999: the first 48 bits of SHA-256 (FIPS 180-4) over the flag's key, a NUL and
 * the targeting key, modulo 10,000 (its bias is below 10^-10). The flag's key is in it so that two flags at 10% do
 * not always pick the same people; the percentage is not, so that raising it only ever adds people.
 */
export function computeBucket(flagKey: string, targetingKey: string): number {
  return createHash('sha256').update(`${flagKey}\0${targetingKey}`, 'utf8').digest().readUIntBE(0, 6) % BUCKET_COUNT
}

/** True if the bucket is among the first `percentage` of all buckets (0 to 100, in steps of 0.01). */
export function isInPercentage(bucket: number, percentage: number): boolean {
  return bucket < Math.round((percentage * BUCKET_COUNT) / 100)
}
