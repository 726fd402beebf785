import { type DataFrame, FieldType, toDataFrame } from '@grafana/data'
import type { OperationEvent } from '@sti-rollout/agent/contract'

/**
 * The kinds of events that are annotations on every time series panel: state changes of operations, changes of the flag,
 * rollbacks, and baselines.
 */
const ANNOTATED_EVENT_KINDS: ReadonlySet<string> = new Set(['state', 'flag', 'rollback', 'baseline'])

/**
 * Events as annotations. Each has `timeEnd` equal to `time`: with null, Grafana draws the regions after it wrong.
 */
export function toAnnotations(events: readonly OperationEvent[]): DataFrame {
  const annotated = events.filter(({ kind }) => ANNOTATED_EVENT_KINDS.has(kind))
  const times = annotated.map(({ at }) => Date.parse(at))
  return toDataFrame({
    fields: [
      { name: 'time', type: FieldType.time, values: times },
      { name: 'timeEnd', type: FieldType.time, values: times },
      { name: 'title', type: FieldType.string, values: annotated.map(({ message }) => message) },
      {
        name: 'text',
        type: FieldType.string,
        values: annotated.map(({ rollout, actor, reason }) =>
          [rollout, `by ${actor.name}`, reason].filter(Boolean).join(' · '),
        ),
      },
      { name: 'tags', type: FieldType.other, values: annotated.map(({ kind, rollout }) => [kind, rollout]) },
    ],
  })
}

/** Events as a table, newest first. */
export function toEventTable(events: readonly OperationEvent[], refId: string): DataFrame {
  const newest = [...events].sort((a, b) => b.id - a.id)
  return toDataFrame({
    refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: newest.map(({ at }) => Date.parse(at)) },
      { name: 'Rollout', type: FieldType.string, values: newest.map(({ rollout }) => rollout) },
      { name: 'Kind', type: FieldType.string, values: newest.map(({ kind }) => kind) },
      { name: 'Message', type: FieldType.string, values: newest.map(({ message }) => message) },
      { name: 'Actor', type: FieldType.string, values: newest.map(({ actor }) => actor.name) },
      { name: 'Reason', type: FieldType.string, values: newest.map(({ reason }) => reason ?? '') },
      { name: 'Operation', type: FieldType.number, values: newest.map(({ operationId }) => operationId) },
    ],
  })
}
