import type { FlagStatus, Incident, RolloutDetail, VitalSignName } from '@sti-rollout/agent/contract'
import { capitalize, formatDuration, formatQuantity, formatValue } from '@sti-rollout/agent/format'
import { formatTime } from '../formatTime'
import { formatFlagState } from '../rollout/display'
import { toSentence } from '../toSentence'

/** What is known of the rollout of an incident now. */
export type IncidentContext = Pick<RolloutDetail, 'flag' | 'vitals'>

/** An incident as an on-call engineer needs it: what happened, what was done, whether users are protected, what is left. */
export interface IncidentReport {
  readonly title: string
  readonly happened: string
  readonly done: string
  /** Null: the state of the rollout is not known here. */
  readonly protection: { readonly tone: 'good' | 'bad' | 'neutral'; readonly sentence: string } | null
  readonly left: string
}

/** The rules whose cause reaches users through the flag; turning it off protects them. */
const FLAG_RULES: ReadonlySet<string> = new Set([
  'StiApiLatencyHigh',
  'StiApiErrorsHigh',
  'StiDiscrepancyAfterCoverage',
  'StiFlagInconsistent',
  'StiFlagOffNotStored',
])
const RULE_VITALS: Readonly<Record<string, { readonly name: VitalSignName; readonly label: string }>> = {
  StiApiErrorsHigh: { name: 'api-error-ratio', label: 'API errors are' },
  StiApiLatencyHigh: { name: 'api-latency-p95', label: 'API p95 is' },
}

/** `StiApiErrorsHigh` as “API errors high”. */
export function ruleTitle(rule: string): string {
  const words = rule
    .replace(/^Sti/, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/\bapi\b/, 'API')
  return capitalize(words)
}

/** It reports something that needs no decision, and pages nobody. */
const isNotice = ({ severity, rollback }: Incident): boolean => severity === 'info' && rollback === null

/** Rolling back the flag is what protects users now. */
export const needsFlagRollback = ({ rule }: Incident, { flag }: IncidentContext): boolean =>
  FLAG_RULES.has(rule) && flag.enabled

export function incidentReport(incident: Incident, context: IncidentContext | null): IncidentReport {
  return {
    title: `${ruleTitle(incident.rule)}${incident.drill && incident.rule !== 'StiDrill' ? ' (drill)' : ''}`,
    happened: toSentence(incident.reading?.state === 'unhealthy' ? incident.reading.sentence : incident.summary),
    done: isNotice(incident) ? '' : describeDecision(incident, context),
    protection: context && !isNotice(incident) ? describeProtection(incident, context) : null,
    left: describeRest(incident, context),
  }
}

function describeDecision({ rollback, reasons, openedAt, change }: Incident, context: IncidentContext | null): string {
  if (rollback === null) return ['The agent changed nothing.', reasons[0]].filter(Boolean).join(' ')
  const seconds = (Date.parse(rollback.at) - Date.parse(openedAt)) / 1000
  const what =
    rollback.scope !== 'flag'
      ? `rolled back the ${rollback.scope}`
      : change?.startsWith('backfill') === true
        ? 'paused the backfill and made sure that the flag is off'
        : 'turned the flag off'
  const later = seconds > 0 ? `, ${formatDuration(seconds)} after the incident opened` : ''
  const sentence = `The agent ${what} at ${formatTime(rollback.at)}${later}`
  if (rollback.scope !== 'flag' || context === null || context.flag.enabled) return `${sentence}.`
  const stale = staleClients(context.flag)
  const all = context.flag.clients.length
  if (stale > 0) return `${sentence}; ${stale} of ${formatQuantity(all, 'client')} have not seen it yet.`
  return all === 0
    ? `${sentence}.`
    : `${sentence}; ${all === 1 ? 'its client has' : `all ${all} clients have`} seen it.`
}

function describeProtection(
  { rule }: Incident,
  { flag, vitals }: IncidentContext,
): NonNullable<IncidentReport['protection']> {
  const share = formatFlagState(flag)
  const reading = RULE_VITALS[rule]
  const vital = reading && vitals.find(({ name }) => name === reading.name)
  const now =
    vital?.value == null
      ? ''
      : ` ${reading?.label} now at ${formatValue(vital.value, vital.unit)}${vital.limit === null ? '' : ` (limit ${formatValue(vital.limit, vital.unit)})`}.`
  if (!FLAG_RULES.has(rule))
    return {
      tone: 'neutral',
      sentence: flag.enabled
        ? `The flag is ${share}: the application reads by type.`
        : 'No user reads by type: the flag is off, so the application reads the legacy columns.',
    }
  if (flag.enabled) return { tone: 'bad', sentence: `Users are not protected: the flag is ${share}.${now}` }
  const stale = staleClients(flag)
  if (stale > 0)
    return {
      tone: 'bad',
      sentence: `Users are not fully protected yet: ${stale} of ${formatQuantity(flag.clients.length, 'client')} may still read by type.${now}`,
    }
  if (!flag.persisted)
    return {
      tone: 'bad',
      sentence: `The flag is off in the memory of this agent only; another agent may still serve it as on.${now}`,
    }
  if (vital?.state === 'exceeded')
    return {
      tone: 'bad',
      sentence: `The flag is off, and every client has seen it, but the limit is still exceeded.${now}`,
    }
  return { tone: 'good', sentence: `Users are protected: the flag is off, and every client has seen it.${now}` }
}

function describeRest(incident: Incident, context: IncidentContext | null): string {
  const { state, acknowledgedBy } = incident
  if (state === 'closed') return ''
  if (isNotice(incident)) return 'Nothing needs to be done. Acknowledge it, which closes it.'
  if (context && needsFlagRollback(incident, context)) return 'Roll back the flag, then find the cause.'
  if (context && FLAG_RULES.has(incident.rule) && staleClients(context.flag) > 0)
    return 'Restart the clients that are out of date, or accept them as removed.'
  if (state === 'acknowledged')
    return `${acknowledgedBy?.name ?? 'Somebody'} is handling it. Close the incident when the cause is fixed.`
  const protectedNow = context && describeProtection(incident, context).tone === 'good'
  return `${protectedNow ? 'Nothing else is needed to protect users. ' : ''}Acknowledge the incident, so that nobody else is paged; then find the cause.`
}

const staleClients = ({ clients }: FlagStatus): number => clients.filter(({ stale }) => stale).length
