import { z } from '@hono/zod-openapi'
import { Instant } from './enums.ts'
import { nullable } from './nullable.ts'

export const FlagClient = z
  .object({
    client: z.string(),
    instance: z.string().describe('distinguishes caching clients with the same name; empty: not caching'),
    caching: z
      .boolean()
      .describe('true: it caches the response until its next request; false: it sends a request for each use'),
    lastSeenAt: Instant,
    answeredOn: z.boolean().describe('the last evaluation it received was on'),
    stale: z.boolean().describe('may still use an older state of the flag'),
    silent: z.boolean().describe('caching, last answered on, and without a request for 60 s: a person can accept it'),
    acceptedBy: z.string().nullable(),
  })
  .openapi('FlagClient')
export type FlagClient = z.infer<typeof FlagClient>

export const PendingOff = z
  .object({
    since: Instant,
    error: z.string().nullable().describe('why the last attempt to store it failed; null: it has not failed'),
    spooled: z.boolean().describe('kept in a file of the agent, so that it outlives the process'),
  })
  .openapi('PendingOff')
export type PendingOff = z.infer<typeof PendingOff>

export const FlagStatus = z
  .object({
    key: z.string(),
    enabled: z.boolean(),
    percentage: z.number(),
    version: z.number().int(),
    changedAt: Instant.nullable(),
    changedBy: z.string().nullable(),
    persisted: z.boolean(),
    pendingOff: nullable(PendingOff).describe('the flag was turned off, and the database has not stored that yet'),
    ageSeconds: z.number().nullable().describe('seconds since the database last confirmed the state; null: never'),
    clients: z.array(FlagClient),
    consistent: z.boolean().describe('no client is stale'),
    longestRequestSeconds: z.number().describe('maximum time that a non-caching client can act on an old response'),
    lastPropagationSeconds: z.number().nullable(),
  })
  .openapi('FlagStatus')
export type FlagStatus = z.infer<typeof FlagStatus>

/** True while the flag is on for some targeting keys and off for others. */
export const isPartlyOn = ({ enabled, percentage }: Pick<FlagStatus, 'enabled' | 'percentage'>): boolean =>
  enabled && percentage > 0 && percentage < 100

export const AcceptClientsRequest = z
  .object({
    clients: z.array(z.string().min(1).max(200)).min(1).max(1000).optional().describe('names of silent clients'),
    all: z.literal(true).optional().describe('every silent client that is stale'),
    reason: z.string().min(1).max(2000),
  })
  .strict()
  .refine(({ clients, all }) => (clients === undefined) !== (all === undefined), 'name clients, or send all: true')
  .openapi('AcceptClientsRequest')
export type AcceptClientsRequest = z.input<typeof AcceptClientsRequest>

const MAX_NAMED_CLIENTS = 10

/** Who may still act on an earlier state of the flag, and what to do about it; null: nobody. */
export function describeStaleClients({
  clients,
  longestRequestSeconds,
}: Pick<FlagStatus, 'clients' | 'longestRequestSeconds'>): string | null {
  const stale = clients.filter((client) => client.stale)
  if (stale.length === 0) return null
  const names = [...new Set(stale.map(({ client }) => client))]
  const named = names.slice(0, MAX_NAMED_CLIENTS).join(', ')
  const more = names.length > MAX_NAMED_CLIENTS ? ` and ${names.length - MAX_NAMED_CLIENTS} more` : ''
  const action = stale.some(({ caching }) => caching)
    ? 'Wait until they ask again, or stop them and run sti accept-client --all --reason "…" (sti status lists them)'
    : `Wait: their requests end within ${longestRequestSeconds} s (flag.longestRequest)`
  return `${stale.length === 1 ? 'A client' : `${stale.length} clients`} of the flag may still use its earlier state: ${named}${more}. ${action}.`
}
