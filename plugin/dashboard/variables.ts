import {
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableHide,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard'

const agent = { type: 'sti-rollout-datasource', uid: '${agent}' }

/** The Prometheus and the agent; the environment and the rollouts are queried from the agent. */
export const variables = [
  new DatasourceVariableBuilder('prometheus').label('Prometheus').type('prometheus'),
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
