import {
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableHide,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard'

const agent = { type: 'sti-rollout-datasource', uid: '${agent}' }

/** Which Prometheus, which agent; its environment and its rollouts are asked of the agent itself. */
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
