import type { ReadinessItem } from '../contract/index.ts'

/** The state of one item, why, and the next step. */
export type ItemState = Pick<ReadinessItem, 'state' | 'sentence' | 'since' | 'next'>

export function ready(sentence: string, since: string | null): ItemState {
  return { state: 'ready', sentence, since, next: null }
}

export function notReady(sentence: string, next: string, since: string | null = null): ItemState {
  return { state: 'not-ready', sentence, since, next }
}

export function unknown(sentence: string, next: string, since: string | null = null): ItemState {
  return { state: 'unknown', sentence, since, next }
}

/** The worst of several states. If all are ready: their sentences together. */
export function combineItemStates(parts: readonly ItemState[]): ItemState {
  return (
    parts.find(({ state }) => state === 'not-ready') ??
    parts.find(({ state }) => state === 'unknown') ?? {
      ...parts[0]!,
      sentence: parts.map(({ sentence }) => sentence).join(' '),
    }
  )
}
