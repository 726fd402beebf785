import { useEffect, useRef, useState } from 'react'
import { type AgentError, toAgentError } from '../agent/AgentError'
import { createLanes } from '../agent/lanes'
import { newIdempotencyKey } from '../agent/rolloutCalls'
import type { FleetMember } from './fleetMember'
import { actAtMember, type FleetRequest, type MemberPreview, type MemberResult, previewMember } from './memberActions'

/** What the action came to at a member. */
export type MemberOutcome =
  | { readonly state: 'waiting' | 'sending' }
  | { readonly state: 'done'; readonly result: MemberResult }
  | { readonly state: 'failed'; readonly error: AgentError }

const MEMBERS_AT_ONCE = 4

const forEachMember = async (members: readonly FleetMember[], use: (member: FleetMember) => Promise<void>) => {
  const inLane = createLanes(MEMBERS_AT_ONCE)
  await Promise.all(members.map((member) => inLane(() => use(member))))
}

/** The previews of an action by member; they are loaded again when its content changes. `content` null loads nothing. */
export function useMemberPreviews(
  members: readonly FleetMember[],
  request: FleetRequest,
  content: string | null,
): Readonly<Record<string, MemberPreview>> {
  const [state, setState] = useState<{ content: string | null; previews: Readonly<Record<string, MemberPreview>> }>({
    content: null,
    previews: {},
  })
  useEffect(() => {
    if (content === null) return
    const abortController = new AbortController()
    const { signal } = abortController
    const timer = setTimeout(
      () =>
        void forEachMember(members, async (member) => {
          if (signal.aborted) return
          const preview = await previewMember(member, request, signal)
          if (signal.aborted) return
          setState((old) => ({
            content,
            previews: { ...(old.content === content ? old.previews : {}), [member.key]: preview },
          }))
        }),
      300,
    )
    return () => {
      clearTimeout(timer)
      abortController.abort()
    }
    // Only a changed content loads the previews again: the members of a confirmation stay the same.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [content])
  return state.content === content ? state.previews : {}
}

/** Sends an action to members, never stopped by an error, and keeps what it came to at each. */
export function useFleetRequest(request: FleetRequest, content: string) {
  const [outcomes, setOutcomes] = useState<Readonly<Record<string, MemberOutcome>>>({})
  const [busy, setBusy] = useState(false)
  // The same content sent to a member again, such as after a timeout, is the same operation.
  const keys = useRef(new Map<string, string>())
  const setOutcome = (member: FleetMember, outcome: MemberOutcome) =>
    setOutcomes((old) => ({ ...old, [member.key]: outcome }))

  const send = async (members: readonly FleetMember[]) => {
    setBusy(true)
    for (const member of members) setOutcome(member, { state: 'waiting' })
    await forEachMember(members, async (member) => {
      setOutcome(member, { state: 'sending' })
      const subject = `${member.key} ${content}`
      const key = keys.current.get(subject) ?? newIdempotencyKey()
      keys.current.set(subject, key)
      try {
        setOutcome(member, { state: 'done', result: await actAtMember(member, request, key) })
      } catch (thrown) {
        const error = toAgentError(thrown, member.agents[0].name, 0)
        // A refusal is an answer: the next attempt is a new request.
        if (!error.unreachable) keys.current.delete(subject)
        setOutcome(member, { state: 'failed', error })
      }
    })
    setBusy(false)
  }
  return { outcomes, busy, send }
}
