import {
  type DataFrame,
  type DataQueryRequest,
  type DataQueryResponse,
  DataSourceApi,
  type DataSourceInstanceSettings,
  type LegacyMetricFindQueryOptions,
  type MetricFindValue,
  type TestDataSourceResponse,
} from '@grafana/data'
import { getBackendSrv, getTemplateSrv } from '@grafana/runtime'
import { getAgentDataSource, type AgentDataSource } from '../agent/agentDataSources'
import { listIncidents } from '../agent/incidentCalls'
import { getAgentStatus, getRollout, listFailedRows, listRolloutEvents, listRollouts } from '../agent/rolloutCalls'
import { checkAgentConnection } from '../health/checkAgentConnection'
import { toAnnotations, toEventTable } from './eventFrames'
import {
  type OfRollout,
  toCheckTable,
  toFailedRowTable,
  toIncidentAnnotations,
  toIncidentTable,
  toOperationTable,
} from './frames'
import type { AgentDataSourceOptions, AgentQuery, Subject } from './types'

interface Selection {
  readonly rollout: string
  readonly refId: string
  readonly from: Date
  readonly to: Date
  readonly isAnnotation: boolean
}

/** One agent as a data source: what it knows as tables and annotations, the values of dashboard variables, and the connection test. */
export class DataSource extends DataSourceApi<AgentQuery, AgentDataSourceOptions> {
  private readonly agent: AgentDataSource

  constructor(settings: DataSourceInstanceSettings<AgentDataSourceOptions>) {
    super(settings)
    this.agent = { uid: settings.uid, name: settings.name, expected: settings.jsonData.environment || null }
    this.annotations = {}
  }

  async query({ targets, range, scopedVars, app }: DataQueryRequest<AgentQuery>): Promise<DataQueryResponse> {
    const data = await Promise.all(
      targets.map(({ rollout, refId, subject = 'events' }) => {
        const query = { rollout: getTemplateSrv().replace(rollout ?? '', scopedVars), refId }
        const isAnnotation = refId === 'Anno' || app === undefined
        return this.frame(subject, { ...query, from: range.from.toDate(), to: range.to.toDate(), isAnnotation })
      }),
    )
    return { data }
  }

  /** The values of a subject; those with a time of their own only within the range. */
  private async frame(subject: Subject, { rollout, refId, from, to, isAnnotation }: Selection): Promise<DataFrame> {
    const within = (start: string, end: string | null = start) =>
      Date.parse(start) <= to.getTime() && (end === null || Date.parse(end) >= from.getTime())
    switch (subject) {
      case 'events': {
        const events = (await this.eachRollout(rollout, (name) => listRolloutEvents(this.agent, name, from))).flatMap(
          ({ value }) => value.filter(({ at }) => within(at)),
        )
        return isAnnotation ? toAnnotations(events) : toEventTable(events, refId)
      }
      case 'incidents': {
        const incidents = (await listIncidents(this.agent)).filter(
          (incident) =>
            // An incident of the whole environment concerns every rollout.
            (rollout === '' || incident.rollout === null || incident.rollout === rollout) &&
            within(incident.openedAt, incident.closedAt),
        )
        return isAnnotation ? toIncidentAnnotations(incidents, Date.now()) : toIncidentTable(incidents, refId)
      }
      case 'operations': {
        const details = await this.eachRollout(rollout, (name) => getRollout(this.agent, name))
        const operations = details.flatMap(({ value }) => value.operations)
        return toOperationTable(
          operations.filter(({ createdAt, endedAt }) => within(createdAt, endedAt)),
          refId,
        )
      }
      case 'checks': {
        const details = await this.eachRollout(rollout, (name) => getRollout(this.agent, name))
        const checks = details.flatMap(({ rollout: name, value: { validation } }) =>
          (validation?.checks ?? []).map((value) => ({ rollout: name, value })),
        )
        return toCheckTable(checks, refId)
      }
      case 'failed-rows': {
        const lists = await this.eachRollout(rollout, (name) => listFailedRows(this.agent, name))
        const rows = lists.flatMap(({ rollout: name, value: { failedRows } }) =>
          failedRows.map((value) => ({ rollout: name, value })),
        )
        return toFailedRowTable(rows, refId)
      }
    }
  }

  /** Values of dashboard variables; the queries are `environment` and `rollouts`. */
  async metricFindQuery(query: string, _options?: LegacyMetricFindQueryOptions): Promise<MetricFindValue[]> {
    const name = query.trim()
    if (name === 'environment') {
      return cachedVariable(this.agent.uid, name, async () => [(await getAgentStatus(this.agent)).environment])
    }
    if (name === 'rollouts') {
      return cachedVariable(this.agent.uid, name, () => this.rolloutNames())
    }
    throw new Error(`Unknown query “${query}”. Use environment or rollouts.`)
  }

  async testDatasource(): Promise<TestDataSourceResponse> {
    const { healthy, summary, steps } = await checkAgentConnection(getAgentDataSource(this.agent.uid))
    return {
      status: healthy ? 'success' : 'error',
      message: healthy ? summary : `${summary}${await this.address()}`,
      details: { verboseMessage: steps.map(({ name, state, detail }) => `${name}: ${state}, ${detail}`).join('\n') },
    }
  }

  /** The address at which Grafana looks for the agent, for those who may see it. */
  private async address(): Promise<string> {
    const answer = getBackendSrv().get<{ url?: string }>(`/api/datasources/uid/${this.agent.uid}`)
    const url = (await answer.catch(() => null))?.url
    return url ? ` (address: ${url})` : ''
  }

  /** What the agent answers for one rollout, or for each. */
  private async eachRollout<T>(rollout: string, read: (name: string) => Promise<T>): Promise<Array<OfRollout<T>>> {
    const names = rollout === '' ? await this.rolloutNames() : [rollout]
    return Promise.all(names.map(async (name) => ({ rollout: name, value: await read(name) })))
  }

  /** The rollouts of the agent, for the query editor. */
  async rolloutNames(): Promise<string[]> {
    return (await listRollouts(this.agent)).map(({ rollout }) => rollout)
  }
}

/**
 * Values of dashboard variables, cached in this browser: if an agent is unavailable, its dashboard still has the
 * environment and the rollouts, so that the panels can show that they are stale.
 */
async function cachedVariable(
  uid: string,
  query: string,
  fetchValues: () => Promise<string[]>,
): Promise<MetricFindValue[]> {
  const key = `sti-rollout.variable.${uid}.${query}`
  try {
    const names = await fetchValues()
    localStorage.setItem(key, JSON.stringify(names))
    return names.map((text) => ({ text }))
  } catch (error) {
    const cached = localStorage.getItem(key)
    if (cached === null) throw error
    return (JSON.parse(cached) as string[]).map((text) => ({ text }))
  }
}
