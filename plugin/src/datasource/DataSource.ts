import {
  type DataQueryRequest,
  type DataQueryResponse,
  DataSourceApi,
  type DataSourceInstanceSettings,
  type LegacyMetricFindQueryOptions,
  type MetricFindValue,
  type TestDataSourceResponse,
} from '@grafana/data'
import { getTemplateSrv } from '@grafana/runtime'
import { agentOf, type Agent } from '../agent/agents'
import { rolloutEvents, rollouts, status } from '../agent/calls'
import { health } from '../health/health'
import { toAnnotations, toTable } from './events'
import { remembered } from './remembered'
import type { Options, Query } from './types'

/** One agent. Its pages and actions go through the app; here are its events, its variables and its health. */
export class DataSource extends DataSourceApi<Query, Options> {
  private readonly agent: Agent

  constructor(settings: DataSourceInstanceSettings<Options>) {
    super(settings)
    this.agent = { uid: settings.uid, name: settings.name, expected: settings.jsonData.environment || null }
    this.annotations = {}
  }

  async query({ targets, range, scopedVars, app }: DataQueryRequest<Query>): Promise<DataQueryResponse> {
    const data = await Promise.all(
      targets.map(async ({ rollout, refId }) => {
        const events = await this.events(getTemplateSrv().replace(rollout ?? '', scopedVars), range.from.toDate())
        const within = events.filter(({ at }) => Date.parse(at) <= range.to.valueOf())
        return refId === 'Anno' || app === undefined ? toAnnotations(within) : toTable(within, refId)
      }),
    )
    return { data }
  }

  /** `environment` and `rollouts` fill the variables of a dashboard. */
  async metricFindQuery(query: string, _options?: LegacyMetricFindQueryOptions): Promise<MetricFindValue[]> {
    const name = query.trim()
    if (name === 'environment') {
      return remembered(this.agent.uid, name, async () => [(await status(this.agent)).environment])
    }
    if (name === 'rollouts') {
      return remembered(this.agent.uid, name, async () => (await rollouts(this.agent)).map(({ rollout }) => rollout))
    }
    throw new Error(`Unknown query “${query}”: write environment or rollouts.`)
  }

  async testDatasource(): Promise<TestDataSourceResponse> {
    const { healthy, summary, hops } = await health(agentOf(this.agent.uid))
    return {
      status: healthy ? 'success' : 'error',
      message: summary,
      details: { verboseMessage: hops.map(({ name, state, detail }) => `${name}: ${state}, ${detail}`).join('\n') },
    }
  }

  private async events(rollout: string, since: Date) {
    const names = rollout ? [rollout] : (await rollouts(this.agent)).map((each) => each.rollout)
    return (await Promise.all(names.map((name) => rolloutEvents(this.agent, name, since)))).flat()
  }
}
