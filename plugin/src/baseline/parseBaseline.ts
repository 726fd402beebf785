import type { BaselineContent } from '@sti-rollout/agent/contract'

/** Reads a file as an export writes it; the agent judges what is in it. @throws Error in words, when it is none */
export function parseBaseline(text: string): BaselineContent {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('This is not JSON. Choose a file that was exported here, or by sti baseline --output.')
  }
  const content = (value ?? {}) as Partial<BaselineContent>
  if (!Array.isArray(content.signals) || !Array.isArray(content.queries) || !content.startedAt) {
    throw new Error('This is JSON, and no baseline: it has no signals, queries or times.')
  }
  return content as BaselineContent
}
