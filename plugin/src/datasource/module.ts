import '../nestedPublicPath'
import { DataSourcePlugin } from '@grafana/data'
import { ConfigEditor } from './ConfigEditor'
import { DataSource } from './DataSource'
import { QueryEditor } from './QueryEditor'
import type { AgentDataSourceOptions, AgentDataSourceSecrets, AgentQuery } from './types'

export const plugin = new DataSourcePlugin<DataSource, AgentQuery, AgentDataSourceOptions, AgentDataSourceSecrets>(
  DataSource,
)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor)
