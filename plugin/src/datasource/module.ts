import { DataSourcePlugin } from '@grafana/data'
import { ConfigEditor } from './ConfigEditor'
import { DataSource } from './DataSource'
import { QueryEditor } from './QueryEditor'
import type { AgentDataSourceOptions, RolloutEventsQuery, AgentDataSourceSecrets } from './types'

export const plugin = new DataSourcePlugin<
  DataSource,
  RolloutEventsQuery,
  AgentDataSourceOptions,
  AgentDataSourceSecrets
>(DataSource)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor)
