import { config } from '@grafana/runtime'
import type { Operation, OperationEvent } from '@sti-rollout/agent/contract'
import { useEffect, useState } from 'react'
import type { AgentDataSource } from '../agent/agentDataSources'
import { proxyPath } from '../agent/agentRequest'
import { toLocalTimes } from '../agent/localTimes'
import { toVisibleTexts } from '../agent/visibleTexts'

/** The delay before the stream is opened again after it was refused. */
const RECONNECT_DELAY_MS = 3_000

export interface OperationStream {
  readonly events: readonly OperationEvent[]
  /** The operation as of the latest progress event. */
  readonly operation: Operation | null
  readonly live: boolean
}

const EMPTY_STREAM: OperationStream = { events: [], operation: null, live: false }

/**
 * The live events of an operation. A browser allows six connections to Grafana, so only the operation page streams. The
 * browser resumes a broken stream with Last-Event-ID; a refused stream is opened again from the start, and events that are
 * already known are kept once.
 */
export function useOperationStream(agent: AgentDataSource | null, id: number): OperationStream {
  const [stream, setStream] = useState<OperationStream>(EMPTY_STREAM)
  const uid = agent?.uid
  useEffect(() => {
    if (uid === undefined) return
    let source: EventSource | null = null
    let timer: ReturnType<typeof setTimeout> | undefined
    const path = proxyPath({ uid, name: '', expected: null }, 'viewer', `/v1/operations/${id}/events`)

    const open = () => {
      source = new EventSource(`${config.appSubUrl ?? ''}${path}`)
      source.onopen = () => setStream((old) => ({ ...old, live: true }))
      source.addEventListener('event', ({ data }: MessageEvent<string>) => {
        const event = toVisibleTexts(JSON.parse(data) as OperationEvent)
        setStream((old) => ({ ...old, events: addEvent(old.events, event) }))
      })
      source.addEventListener('progress', ({ data }: MessageEvent<string>) => {
        const operation = toLocalTimes(toVisibleTexts(JSON.parse(data) as Operation))
        setStream((old) => ({ ...old, operation }))
      })
      source.onerror = () => {
        setStream((old) => ({ ...old, live: false }))
        if (source?.readyState === EventSource.CLOSED) timer = setTimeout(open, RECONNECT_DELAY_MS)
      }
    }
    open()
    return () => {
      clearTimeout(timer)
      source?.close()
      setStream(EMPTY_STREAM)
    }
  }, [uid, id])
  return stream
}

/** Adds an event unless it is known; the newest event is first. */
export function addEvent(events: readonly OperationEvent[], event: OperationEvent): readonly OperationEvent[] {
  if (events.some(({ id }) => id === event.id)) return events
  const [newest] = events
  return !newest || event.id > newest.id ? [event, ...events] : [...events, event].sort((a, b) => b.id - a.id)
}
