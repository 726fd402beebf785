import { GraphThresholdsStyleConfigBuilder, GraphThresholdsStyleMode } from '@grafana/grafana-foundation-sdk/common'
import { colorOverride, LEGEND_ONLY, thresholds, unit } from '../fieldOverrides.ts'
import { type PanelScope, WORST_MEMBERS } from '../panelScope.ts'
import { rangeQuery } from '../targets.ts'
import { timePanel, withLine } from '../timePanel.ts'

const DESCRIPTION =
  'The busiest host of the environment: CPU, memory, and disk usage; disk operations and network traffic in the legend. The dashed line is at 80%.'
const FLEET_DESCRIPTION =
  'The busiest hosts: CPU usage of the three members where it is highest (solid, dashed, and dotted), and memory and disk usage of the member where each is highest, all in the time range of the dashboard; disk operations and network traffic of all members in the legend. Members on one host have its traffic each. The dashed line is at 80%.'

export function hostPanel(scope: PanelScope) {
  const { fleet, environment: series, each } = scope
  const totalRate = (name: string) => `sum(${each(`rate(${series(name)}[$__rate_interval])`, 'host, direction')})`
  const panel = timePanel(
    scope,
    fleet === null ? DESCRIPTION : FLEET_DESCRIPTION,
    'No metrics of the host. Configure them under host in the rollout file.',
  )
    .unit('percentunit')
    .min(0)
    .max(1)
    .thresholds(thresholds([null, 'transparent'], [0.8, 'red']))
    .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed))
  withLine(panel, scope, {
    refId: 'Cpu',
    name: 'CPU',
    series: series('sti_host_cpu_ratio'),
    color: 'blue',
    members: WORST_MEMBERS,
  })
  withLine(panel, scope, { refId: 'Memory', name: 'RAM', series: series('sti_host_memory_ratio'), color: 'purple' })
  withLine(panel, scope, { refId: 'Disk', name: 'disk', series: series('sti_host_disk_used_ratio'), color: 'orange' })
  return panel
    .withTarget(rangeQuery('Io', 'I/O', totalRate('sti_host_disk_operations_total')))
    .withTarget(rangeQuery('Network', 'network', totalRate('sti_host_network_bytes_total')))
    .overrideByName('I/O', [colorOverride('green'), unit('iops'), ...LEGEND_ONLY])
    .overrideByName('network', [colorOverride('yellow'), unit('Bps'), ...LEGEND_ONLY])
}
