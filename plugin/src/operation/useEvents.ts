import { config } from '@grafana/runtime'
import type { Operation, OperationEvent } from '@sti-rollout/agent/contract'
import { useEffect, useState } from 'react'
import type { Agent } from '../agent/agents'
import { proxied } from '../agent/request'

/** How long to wait before asking again after the stream was refused. */
const AGAIN_MS = 3_000

export interface Stream {
  readonly events: readonly OperationEvent[]
  /** The operation as the last progress event told it. */
  readonly operation: Operation | null
  readonly live: boolean
}

const NOTHING: Stream = { events: [], operation: null, live: false }

/**
 * An operation's events as they come. A browser allows six connections to Grafana: only the operation's page streams.
 * A stream that breaks is resumed by the browser with Last-Event-ID; one that is refused is opened again from the start,
 * and what is known already is kept once.
 */
export function useEvents(agent: Agent | null, id: number): Stream {
  const [stream, setStream] = useState<Stream>(NOTHING)
  const uid = agent?.uid
  useEffect(() => {
    if (uid === undefined) return
    let source: EventSource | null = null
    let timer: ReturnType<typeof setTimeout> | undefined
    const path = proxied({ uid, name: '', expected: null }, 'viewer', `/v1/operations/${id}/events`)

    const open = () => {
      source = new EventSource(`${config.appSubUrl ?? ''}${path}`)
      source.onopen = () => setStream((old) => ({ ...old, live: true }))
      source.addEventListener('event', ({ data }: MessageEvent<string>) => {
        const event = JSON.parse(data) as OperationEvent
        setStream((old) => ({ ...old, events: added(old.events, event) }))
      })
      source.addEventListener('progress', ({ data }: MessageEvent<string>) => {
        const operation = JSON.parse(data) as Operation
        setStream((old) => ({ ...old, operation }))
      })
      source.onerror = () => {
        setStream((old) => ({ ...old, live: false }))
        if (source?.readyState === EventSource.CLOSED) timer = setTimeout(open, AGAIN_MS)
      }
    }
    open()
    return () => {
      clearTimeout(timer)
      source?.close()
      setStream(NOTHING)
    }
  }, [uid, id])
  return stream
}

/** Newest first, each once. */
export function added(events: readonly OperationEvent[], event: OperationEvent): readonly OperationEvent[] {
  if (events.some(({ id }) => id === event.id)) return events
  const [newest] = events
  return !newest || event.id > newest.id ? [event, ...events] : [...events, event].sort((a, b) => b.id - a.id)
}
