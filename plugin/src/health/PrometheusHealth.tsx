import { getBackendSrv } from '@grafana/runtime'
import { Card, Spinner } from '@grafana/ui'
import React from 'react'
import { firstValueFrom } from 'rxjs'
import type { Hop } from './health'
import { Hops } from './Hops'
import { QUIET_MS, usePolled } from '../agent/usePolled'

/** One Prometheus: whether Grafana reaches it, and whether it scrapes every agent. */
export function PrometheusHealth({ uid, name }: { uid: string; name: string }) {
  const { data } = usePolled(
    uid,
    () => hopsTo(uid),
    () => QUIET_MS,
  )
  return (
    <Card noMargin>
      <Card.Heading>{name}</Card.Heading>
      <Card.Description>{data ? <Hops hops={data} /> : <Spinner inline />}</Card.Description>
    </Card>
  )
}

interface Answer {
  data: { result: Array<{ metric: Record<string, string>; value: [number, string] }> }
}

async function hopsTo(uid: string): Promise<Hop[]> {
  const query = encodeURIComponent('up{job="sti-agent"}')
  try {
    const answer = await firstValueFrom(
      getBackendSrv().fetch<Answer>({
        url: `/api/datasources/uid/${encodeURIComponent(uid)}/resources/api/v1/query?query=${query}`,
        showErrorAlert: false,
      }),
    )
    const { result } = answer.data.data
    const reached: Hop = { name: 'Grafana → Prometheus', state: 'ok', detail: 'answers' }
    if (result.length === 0) {
      return [
        reached,
        { name: 'Prometheus → agents', state: 'broken', detail: 'It scrapes no agent: add the job sti-agent.' },
      ]
    }
    return [
      reached,
      ...result.map(({ metric, value }): Hop => {
        const up = value[1] === '1'
        return {
          name: `→ ${metric['environment'] ?? metric['instance'] ?? 'agent'}`,
          state: up ? 'ok' : 'broken',
          detail: `${metric['instance'] ?? ''} ${up ? 'is scraped' : 'does not answer the scrape'}`,
        }
      }),
    ]
  } catch {
    return [{ name: 'Grafana → Prometheus', state: 'broken', detail: 'Grafana cannot reach it: check its URL.' }]
  }
}
