import type { ConditionFinding } from './conditions/conditionFinding.ts'

/** Lets a finding count as unhealthy only after it has been so at every look for as long as its condition asks. */
export interface FindingDebouncer {
  debounce(findings: readonly ConditionFinding[], now: number): ConditionFinding[]
}

export function createFindingDebouncer(): FindingDebouncer {
  let unhealthySince = new Map<string, number>()
  return {
    debounce(findings, now) {
      const nextUnhealthySince = new Map<string, number>()
      const debounced = findings.map((finding): ConditionFinding => {
        if (finding.state !== 'unhealthy') return finding
        const key = `${finding.rule} ${finding.change}`
        const began = unhealthySince.get(key) ?? now
        nextUnhealthySince.set(key, began)
        if (now - began >= finding.requiredMs) return finding
        const requirement = `it counts once it has been so for ${finding.requiredMs / 1_000} s`
        return { ...finding, state: 'unknown', sentence: `${finding.sentence.replace(/\.$/, '')}: ${requirement}.` }
      })
      unhealthySince = nextUnhealthySince
      return debounced
    },
  }
}
