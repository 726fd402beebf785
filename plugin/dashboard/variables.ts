import {
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableHide,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { PROMETHEUS } from './targets.ts'

const agent = { type: 'sti-rollout-datasource', uid: '${agent}' }

const prometheus = () => new DatasourceVariableBuilder('prometheus').label('Prometheus').type('prometheus')

/** The Prometheus and the agent; the environment and the rollouts are queried from the agent. */
export const variables = [
  prometheus(),
  new DatasourceVariableBuilder('agent').label('Agent').type(agent.type),
  new QueryVariableBuilder('environment')
    .label('Environment')
    .datasource(agent)
    .query('environment')
    .refresh(VariableRefresh.OnDashboardLoad)
    .hide(VariableHide.HideVariable),
  new QueryVariableBuilder('rollout')
    .label('Rollout')
    .datasource(agent)
    .query('rollouts')
    .refresh(VariableRefresh.OnDashboardLoad),
]

const labelValues = (name: string, series: string, label: string) =>
  new QueryVariableBuilder(name)
    .datasource(PROMETHEUS)
    .query(`label_values(${series},${label})`)
    .refresh(VariableRefresh.OnDashboardLoad)
    .sort(VariableSort.AlphabeticalAsc)

/** The rollouts and environments that the agents of a Prometheus report. */
export const fleetVariables = [
  prometheus(),
  labelValues('rollout', 'sti_flag_enabled', 'rollout').label('Rollout'),
  labelValues('environment', 'sti_flag_enabled{rollout="$rollout"}', 'environment')
    .label('Environment')
    .multi(true)
    .includeAll(true)
    .allValue('.*'),
]
