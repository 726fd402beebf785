import type { ReadinessItem } from '../contract/index.ts'

/** The state of one item, why, and the next step. */
export type ItemState = Pick<ReadinessItem, 'state' | 'sentence' | 'since' | 'next' | 'command'>

/** What a person does next in Grafana, and the command that does the same. A string has no command. */
export type NextStep = string | { readonly text: string; readonly command: string }

const nextOf = (step: NextStep): Pick<ItemState, 'next' | 'command'> =>
  typeof step === 'string' ? { next: step, command: null } : { next: step.text, command: step.command }

export const step = (text: string, command: string): NextStep => ({ text, command })

export function ready(sentence: string, since: string | null): ItemState {
  return { state: 'ready', sentence, since, next: null, command: null }
}

export function notReady(sentence: string, next: NextStep, since: string | null = null): ItemState {
  return { state: 'not-ready', sentence, since, ...nextOf(next) }
}

export function unknown(sentence: string, next: NextStep, since: string | null = null): ItemState {
  return { state: 'unknown', sentence, since, ...nextOf(next) }
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
