import type { Finding } from './conditions/finding.ts'

/** Lets a finding count as unhealthy only after it has been so at every look for as long as its condition asks. */
export interface Persistence {
  settled(findings: readonly Finding[], now: number): Finding[]
}

export function createPersistence(): Persistence {
  let since = new Map<string, number>()
  return {
    settled(findings, now) {
      const next = new Map<string, number>()
      const settled = findings.map((finding): Finding => {
        if (finding.state !== 'unhealthy') return finding
        const key = `${finding.rule} ${finding.change}`
        const began = since.get(key) ?? now
        next.set(key, began)
        if (now - began >= finding.persistsMs) return finding
        const asked = `it counts once it has been so for ${finding.persistsMs / 1_000} s`
        return { ...finding, state: 'unknown', sentence: `${finding.sentence.replace(/\.$/, '')}: ${asked}.` }
      })
      since = next
      return settled
    },
  }
}
