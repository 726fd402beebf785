import { GraphThresholdsStyleConfigBuilder, GraphThresholdsStyleMode } from '@grafana/grafana-foundation-sdk/common'
import { colored, LEGEND_ONLY, thresholds, unit } from '../look.ts'
import { ofEnvironment } from '../series.ts'
import { over } from '../targets.ts'
import { timePanel } from '../timePanel.ts'

const rate = (name: string) => `sum(max by (host, direction) (rate(${ofEnvironment(name)}[$__rate_interval])))`

export const host = timePanel(
  'System Resource Monitor',
  'The busiest host of the environment: how much of CPU, memory and disk is used; disk operations and network in the legend. The line stands at 80 %.',
  'The host cannot be read. Say in the rollout file, under host, where its readings are.',
)
  .withTarget(over('Cpu', 'CPU', `max(${ofEnvironment('sti_host_cpu_ratio')})`))
  .withTarget(over('Memory', 'RAM', `max(${ofEnvironment('sti_host_memory_ratio')})`))
  .withTarget(over('Disk', 'disk', `max(${ofEnvironment('sti_host_disk_used_ratio')})`))
  .withTarget(over('Io', 'I/O', rate('sti_host_disk_operations_total')))
  .withTarget(over('Network', 'network', rate('sti_host_network_bytes_total')))
  .unit('percentunit')
  .min(0)
  .max(1)
  .thresholds(thresholds([null, 'transparent'], [0.8, 'red']))
  .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed))
  .overrideByName('CPU', [colored('blue')])
  .overrideByName('RAM', [colored('purple')])
  .overrideByName('disk', [colored('orange')])
  .overrideByName('I/O', [colored('green'), unit('iops'), ...LEGEND_ONLY])
  .overrideByName('network', [colored('yellow'), unit('Bps'), ...LEGEND_ONLY])
