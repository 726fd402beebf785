import { GraphThresholdsStyleConfigBuilder, GraphThresholdsStyleMode } from '@grafana/grafana-foundation-sdk/common'
import { colorOverride, LEGEND_ONLY, thresholds, unit } from '../fieldOverrides.ts'
import { environmentSeries } from '../promql.ts'
import { rangeQuery } from '../targets.ts'
import { timePanel } from '../timePanel.ts'

const busiestHostRate = (name: string) =>
  `sum(max by (host, direction) (rate(${environmentSeries(name)}[$__rate_interval])))`

const panel = timePanel(
  'The busiest host of the environment: CPU, memory, and disk usage; disk operations and network traffic in the legend. The dashed line is at 80%.',
  'No metrics of the host. Configure them under host in the rollout file.',
)
  .withTarget(rangeQuery('Cpu', 'CPU', `max(${environmentSeries('sti_host_cpu_ratio')})`))
  .withTarget(rangeQuery('Memory', 'RAM', `max(${environmentSeries('sti_host_memory_ratio')})`))
  .withTarget(rangeQuery('Disk', 'disk', `max(${environmentSeries('sti_host_disk_used_ratio')})`))
  .withTarget(rangeQuery('Io', 'I/O', busiestHostRate('sti_host_disk_operations_total')))
  .withTarget(rangeQuery('Network', 'network', busiestHostRate('sti_host_network_bytes_total')))
  .unit('percentunit')
  .min(0)
  .max(1)
  .thresholds(thresholds([null, 'transparent'], [0.8, 'red']))
  .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed))
  .overrideByName('CPU', [colorOverride('blue')])
  .overrideByName('RAM', [colorOverride('purple')])
  .overrideByName('disk', [colorOverride('orange')])
  .overrideByName('I/O', [colorOverride('green'), unit('iops'), ...LEGEND_ONLY])
  .overrideByName('network', [colorOverride('yellow'), unit('Bps'), ...LEGEND_ONLY])

export const hostPanel = { width: 8, panel }
