import {
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
import { getAgentStatus, listRollouts } from '../agent/rolloutCalls'
import { checkAgentConnection } from '../health/checkAgentConnection'
import type { AgentDataSourceOptions, AgentQuery } from './types'

/**
 * One agent as a data source: what it knows as tables and annotations, the values of dashboard variables, and the
 * connection test.
 */
export class DataSource extends DataSourceApi<AgentQuery, AgentDataSourceOptions> {
  private readonly agent: AgentDataSource

  constructor(settings: DataSourceInstanceSettings<AgentDataSourceOptions>) {
    super(settings)
    this.agent = { uid: settings.uid, name: settings.name, expected: settings.jsonData.environment || null }
    this.annotations = {}
  }

  async query({ targets, range, scopedVars, app }: DataQueryRequest<AgentQuery>): Promise<DataQueryResponse> {
    const { querySubject } = await import('./querySubject')
    const data = await Promise.all(
      targets.map(({ rollout, refId, subject = 'events', revision }) => {
        return querySubject(this.agent, subject, {
          rollout: getTemplateSrv().replace(rollout ?? '', scopedVars),
          refId,
          from: range.from.toDate(),
          to: range.to.toDate(),
          isAnnotation: refId === 'Anno' || app === undefined,
          revision,
        })
      }),
    )
    return { data }
  }

  /** Values of dashboard variables; the queries are `environment` and `rollouts`. */
  async metricFindQuery(query: string, _options?: LegacyMetricFindQueryOptions): Promise<MetricFindValue[]> {
    const name = query.trim()
    if (name === 'environment') {
      const configured = this.agent.expected === null ? null : [this.agent.expected]
      return cachedVariable(this.agent.uid, name, configured, async () => [
        (await getAgentStatus(this.agent)).environment,
      ])
    }
    if (name === 'rollouts') {
      return cachedVariable(this.agent.uid, name, null, () => this.rolloutNames())
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
    if (url === undefined) return ''
    return url === '' ? ' The data source has no URL.' : ` (address: ${url})`
  }

  /** The rollouts of the agent, for the query editor. */
  async rolloutNames(): Promise<string[]> {
    return (await listRollouts(this.agent)).map(({ rollout }) => rollout)
  }
}

/**
 * Values of dashboard variables, cached in this browser: if an agent is unavailable, its dashboard still has the
 * environment and the rollouts, so that the panels can show that they are stale. `configured` is used in a browser that has
 * not seen the agent; null: nothing is configured.
 */
async function cachedVariable(
  uid: string,
  query: string,
  configured: readonly string[] | null,
  fetchValues: () => Promise<string[]>,
): Promise<MetricFindValue[]> {
  const key = `sti-rollout.variable.${uid}.${query}`
  try {
    const names = await fetchValues()
    localStorage.setItem(key, JSON.stringify(names))
    return names.map((text) => ({ text }))
  } catch (error) {
    const cached = localStorage.getItem(key)
    const known = cached === null ? configured : (JSON.parse(cached) as string[])
    if (known === null) throw error
    return known.map((text) => ({ text }))
  }
}
