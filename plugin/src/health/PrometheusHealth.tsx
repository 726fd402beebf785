import { getBackendSrv } from '@grafana/runtime'
import { Card, Spinner } from '@grafana/ui'
import React from 'react'
import { firstValueFrom } from 'rxjs'
import type { ConnectionStep } from './checkAgentConnection'
import { ConnectionSteps } from './ConnectionSteps'
import { IDLE_POLL_INTERVAL_MS, usePolling } from '../agent/usePolling'

/** The connection from Grafana to one Prometheus, and from there to the agents. */
export function PrometheusHealth({ uid, name }: { uid: string; name: string }) {
  const { data } = usePolling(
    uid,
    () => checkPrometheus(uid),
    () => IDLE_POLL_INTERVAL_MS,
  )
  return (
    <Card noMargin>
      <Card.Heading>{name}</Card.Heading>
      <Card.Description>{data ? <ConnectionSteps steps={data} /> : <Spinner inline />}</Card.Description>
    </Card>
  )
}

interface PrometheusQueryResponse {
  data: { result: Array<{ metric: Record<string, string>; value: [number, string] }> }
}

async function checkPrometheus(uid: string): Promise<ConnectionStep[]> {
  const query = encodeURIComponent('up{job="sti-agent"}')
  try {
    const response = await firstValueFrom(
      getBackendSrv().fetch<PrometheusQueryResponse>({
        url: `/api/datasources/uid/${encodeURIComponent(uid)}/resources/api/v1/query?query=${query}`,
        showErrorAlert: false,
      }),
    )
    const { result } = response.data.data
    const prometheusStep: ConnectionStep = { name: 'Grafana → Prometheus', state: 'ok', detail: 'reachable' }
    if (result.length === 0) {
      return [
        prometheusStep,
        { name: 'Prometheus → agents', state: 'broken', detail: 'Prometheus scrapes no agent. Add the job sti-agent.' },
      ]
    }
    return [
      prometheusStep,
      ...result.map(({ metric, value }): ConnectionStep => {
        const up = value[1] === '1'
        return {
          name: `→ ${metric['environment'] ?? metric['instance'] ?? 'agent'}`,
          state: up ? 'ok' : 'broken',
          detail: `${metric['instance'] ?? ''} ${up ? 'is scraped' : 'cannot be scraped'}`,
        }
      }),
    ]
  } catch {
    return [
      {
        name: 'Grafana → Prometheus',
        state: 'broken',
        detail: 'Grafana cannot reach Prometheus. Check the URL of its data source.',
      },
    ]
  }
}
