import { DataSourcePlugin } from '@grafana/data'
import { ConfigEditor } from './ConfigEditor'
import { DataSource } from './DataSource'
import { QueryEditor } from './QueryEditor'
import type { Options, Query, Secrets } from './types'

export const plugin = new DataSourcePlugin<DataSource, Query, Options, Secrets>(DataSource)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor)
