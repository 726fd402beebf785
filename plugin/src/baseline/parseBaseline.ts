import type { BaselineContent } from '@sti-rollout/agent/contract'

/** Parses an exported baseline; the agent validates its content. @throws Error if the text is not a baseline */
export function parseBaseline(text: string): BaselineContent {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('The file is not JSON. Select a file that was exported here, or with sti baseline --output.')
  }
  const content = (value ?? {}) as Partial<BaselineContent>
  if (!Array.isArray(content.signals) || !Array.isArray(content.queries) || !content.startedAt) {
    throw new Error(
      'The file is not a baseline: it has no signals, queries, or times. Select a file that was exported here, or with sti baseline --output.',
    )
  }
  return content as BaselineContent
}
