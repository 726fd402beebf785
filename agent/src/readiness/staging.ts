import type { ReadinessItem } from '../contract/index.ts'
import { isKnown } from '../signals/reading.ts'
import { judgeChecks } from './checks.ts'
import { measured } from './item.ts'
import { allOf, notReady, ready, unknown, type Judged } from './judged.ts'
import type { Seen } from './seen.ts'

/** "Staging Validation Complete". Where the file wants a promotion, the report of that environment says it. */
export function stagingItems(seen: Seen): ReadinessItem[] {
  const items = [
    measured('coverage', '100% STI coverage in staging environment', ['staging'], coverage(seen)),
    measured(
      'dual-write',
      'Dual-write verification working correctly',
      ['staging'],
      judgeChecks(seen, 'integrity', ofDualWrite),
    ),
    measured(
      'performance',
      'Performance validation within 10% of baseline',
      ['staging'],
      judgeChecks(seen, 'performance'),
    ),
    measured('dashboards', 'All monitoring dashboards live and functional', ['staging'], dashboards(seen)),
    measured('alerting', 'Alerting system configured and tested', ['staging'], alertPath(seen)),
    measured('integrity', 'Data integrity validation passed', ['staging'], judgeChecks(seen, 'integrity')),
    measured('resources', 'System resource usage within acceptable limits', ['staging'], judgeChecks(seen, 'system')),
  ]
  return seen.facts.promotion === null ? items : items.map((item) => reported(seen, item))
}

export function coverage(seen: Seen): Judged {
  const { validation } = seen.facts
  const judged = judgeChecks(seen, 'integrity', ({ check }) => check === 'coverage')
  if (judged.state !== 'ready' || validation === null) return judged
  if (validation.coverage === 1) return ready(`All of ${validation.totalRows} rows have the right type.`, judged.since)
  return notReady(
    `${validation.coverage} of the rows have the right type; an admin has accepted the others.`,
    'Mend the accepted rows and retry them, then validate again.',
    judged.since,
  )
}

const ofDualWrite = ({ check }: { readonly check: string }): boolean => /^dual-write-/.test(check)

export function dashboards({ outside, environment }: Seen): Judged {
  return allOf([dashboard({ outside }), series(outside, environment)])
}

/** Grafana answers, and its dashboard has the eight panels. */
export function dashboard({ outside }: Pick<Seen, 'outside'>): Judged {
  const { grafana } = outside
  if (!isKnown(grafana))
    return unknown(`Grafana could not be asked: ${grafana.unknown}.`, 'Let the agent reach Grafana (STI_GRAFANA_URL).')
  const at = new Date(grafana.at).toISOString()
  const { version, missing } = grafana.value
  if (!isKnown(missing))
    return unknown(`Grafana ${version} answers; ${missing.unknown}.`, 'Let the agent read the dashboard.', at)
  if (missing.value.length === 0) return ready(`Grafana ${version} answers; its dashboard has all eight panels.`, at)
  return notReady(
    `The dashboard in Grafana lacks ${missing.value.join(', ')}.`,
    'Provision it: provisioning/grafana/dashboards.',
    at,
  )
}

function series({ scraped }: Seen['outside'], environment: string): Judged {
  if (!isKnown(scraped))
    return unknown(`Prometheus could not be asked: ${scraped.unknown}.`, 'Let the agent reach Prometheus.')
  const at = new Date(scraped.at).toISOString()
  if (scraped.value > 0) return ready(`Prometheus scrapes ${scraped.value} of the agents of ${environment}.`, at)
  return notReady(
    `Prometheus has no series of ${environment}.`,
    'Let it scrape /metrics of the agent: provisioning/prometheus.',
    at,
  )
}

/** The rule that always fires has come all the way: Prometheus, the rule, the contact point, the signed webhook. */
export function alertPath({ alertPath: { seenAt, live } }: Pick<Seen, 'alertPath'>): Judged {
  const mend = 'See StiWatchdog in the runbook: Prometheus, the rules, the contact point of the agents, the secret.'
  if (seenAt === null) return unknown('The watchdog alert has not reached this agent since it started.', mend)
  const at = new Date(seenAt).toISOString()
  if (live) return ready(`The watchdog alert reached this agent at ${at}.`, at)
  return notReady(`The watchdog alert has not reached this agent since ${at}.`, mend, at)
}

function reported({ promoted, facts }: Seen, here: ReadinessItem): ReadinessItem {
  const { from } = facts.promotion!
  const there = promoted?.items.find(({ item }) => item === here.item)
  if (promoted === null || there === undefined) {
    const judged = unknown(
      `No report of ${from} that counts has been handed in.`,
      `Promote it from ${from} (sti promote report.json).`,
    )
    return { ...here, ...judged }
  }
  return { ...here, ...there, lists: here.lists, sentence: `${from}, ${promoted.at.slice(0, 10)}: ${there.sentence}` }
}
