import type {
  AgentStatus,
  AttestationRequest,
  AutomaticRollback,
  AutomaticRollbackRequest,
  Baseline,
  BaselineComparison,
  BaselineImport,
  BaselineSummary,
  DrillRequest,
  ColumnDrop,
  FailedRow,
  Incident,
  Operation,
  OperationEvent,
  OperationPatch,
  OperationRequest,
  Preview,
  Problem,
  Promotion,
  PromotionGate,
  PromotionRequest,
  Readiness,
  ReportFormat,
  RolloutDetail,
  RolloutSummary,
  Validation,
} from '../contract/index.ts'
import type { z } from 'zod'
import { CliError, Exit } from './exit.ts'
import type { AgentAddress } from './settings.ts'

/** What a caller sends; defaults may be left out. */
export type OperationInput = z.input<typeof OperationRequest>

/** The agent could not be reached, or answered something that is not ours. */
export class AgentAway extends CliError {
  constructor(url: string, why: string) {
    super(Exit.failed, 'agent-away', `The agent at ${url} ${why}.`)
  }
}

/** The agent said no, in its own words. */
export class AgentRefused extends CliError {
  constructor(problem: Problem) {
    super(exitOf(problem.status), problem.code, problem.detail, problem.reasons ?? [])
  }
}

function exitOf(status: number): Exit {
  if (status === 403 || status === 409) return Exit.refused
  return status < 500 ? Exit.usage : Exit.failed
}

export type AgentClient = ReturnType<typeof agentClient>

/** The agent's HTTP API; each call rejects with AgentAway or AgentRefused. */
export function agentClient({ url, token }: AgentAddress) {
  /** The answer as text when it is good, else the agent's refusal. */
  async function ask(
    method: string,
    path: string,
    body?: unknown,
    key?: string,
  ): Promise<{ status: number; text: string }> {
    const headers: Record<string, string> = { authorization: `Bearer ${token}`, accept: 'application/json' }
    if (body !== undefined) headers['content-type'] = 'application/json'
    if (key) headers['idempotency-key'] = key
    let response: Response
    let text: string
    try {
      response = await fetch(url + path, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(20_000),
        redirect: 'error',
      })
      text = await response.text()
    } catch (error) {
      throw new AgentAway(url, reachFault(error))
    }
    if (response.ok) return { status: response.status, text }
    const answer = jsonOf(text, response.status)
    if (!isProblem(answer)) throw new AgentAway(url, `answered ${response.status} without saying why`)
    throw new AgentRefused(answer)
  }

  async function call<T>(method: string, path: string, body?: unknown, key?: string): Promise<T> {
    const { status, text } = await ask(method, path, body, key)
    return jsonOf(text, status) as T
  }

  function jsonOf(text: string, status: number): unknown {
    const answer = parseJson(text)
    if (answer !== undefined) return answer
    throw new AgentAway(url, `answered ${status} and no JSON, so it is no agent of ours: correct its address`)
  }

  const part = encodeURIComponent
  const rollout = (name: string): string => `/v1/rollouts/${part(name)}`
  return {
    url,
    status: () => call<AgentStatus>('GET', '/v1/agent'),
    rollouts: async () => (await call<{ rollouts: RolloutSummary[] }>('GET', '/v1/rollouts')).rollouts,
    rollout: (name: string) => call<RolloutDetail>('GET', rollout(name)),
    start: (name: string, request: OperationInput, key: string) =>
      call<Operation>('POST', `${rollout(name)}/operations`, request, key),
    preview: (name: string, request: OperationInput) =>
      call<Preview>('POST', `${rollout(name)}/operations?dryRun=true`, request),
    operations: async (name?: string) =>
      (await call<{ operations: Operation[] }>('GET', `/v1/operations${name ? `?rollout=${part(name)}` : ''}`))
        .operations,
    operation: (id: number) => call<Operation>('GET', `/v1/operations/${id}`),
    events: async (id: number) =>
      (await call<{ events: OperationEvent[] }>('GET', `/v1/operations/${id}/events`)).events,
    act: (id: number, verb: 'pause' | 'resume' | 'cancel', reason?: string) =>
      call<Operation>('POST', `/v1/operations/${id}/${verb}`, { reason }),
    tune: (id: number, patch: OperationPatch) => call<Operation>('PATCH', `/v1/operations/${id}`, patch),
    failedRows: (name: string) =>
      call<{ failedRows: FailedRow[]; total: number }>('GET', `${rollout(name)}/failed-rows`),
    retryFailedRows: (name: string, body: { environment: string; reason?: string }, key: string) =>
      call<Operation>('POST', `${rollout(name)}/failed-rows/retry`, body, key),
    acceptFailedRows: (name: string, body: { keys: string[][]; reason: string }) =>
      call<{ accepted: number }>('POST', `${rollout(name)}/failed-rows/accept`, body),
    acceptClient: (name: string, body: { client: string; reason: string }) =>
      call<unknown>('POST', `${rollout(name)}/flag-clients/accept`, body),
    validation: (name: string, id: number) => call<Validation>('GET', `${rollout(name)}/validations/${id}`),
    readiness: (name: string) => call<Readiness>('GET', `${rollout(name)}/readiness`),
    columnDrop: (name: string) => call<ColumnDrop>('GET', `${rollout(name)}/column-drop`),
    attest: (name: string, body: AttestationRequest) => call<Readiness>('POST', `${rollout(name)}/attestations`, body),
    incidents: async (name: string | undefined, open: boolean) =>
      (
        await call<{ incidents: Incident[] }>(
          'GET',
          `/v1/incidents?open=${open}${name === undefined ? '' : `&rollout=${part(name)}`}`,
        )
      ).incidents,
    answerIncident: (id: number, verb: 'acknowledge' | 'resolve', note?: string) =>
      call<Incident>('POST', `/v1/incidents/${id}/${verb}`, { note }),
    automaticRollback: (name: string, body: AutomaticRollbackRequest) =>
      call<AutomaticRollback>('POST', `${rollout(name)}/automatic-rollback`, body),
    drill: (name: string, body: DrillRequest) => call<Incident>('POST', `${rollout(name)}/drill`, body),
    promote: (name: string, body: PromotionRequest) =>
      call<{ gate: PromotionGate | null; promotions: Promotion[] }>('POST', `${rollout(name)}/promotions`, body),
    /** As text, whatever its format. */
    report: async (name: string, format: ReportFormat) =>
      (await ask('GET', `${rollout(name)}/report?format=${format}`)).text,
    baselines: async (name: string) =>
      (await call<{ baselines: BaselineSummary[] }>('GET', `${rollout(name)}/baselines`)).baselines,
    baseline: (name: string, id: number | 'newest') => call<Baseline>('GET', `${rollout(name)}/baselines/${id}`),
    compareBaseline: (name: string, id: number | 'newest') =>
      call<BaselineComparison>('GET', `${rollout(name)}/baselines/${id}/comparison`),
    importBaseline: (name: string, body: BaselineImport) =>
      call<BaselineSummary>('POST', `${rollout(name)}/baselines`, body),
    adopt: (body: { environment: string; reason: string }) => call<unknown>('POST', '/v1/agent/adopt', body),
  }
}

function reachFault(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'did not answer within 20 s'
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined
  return `cannot be reached (${cause?.code ?? cause?.message ?? 'no connection'})`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isProblem(answer: unknown): answer is Problem {
  return typeof answer === 'object' && answer !== null && 'detail' in answer && 'code' in answer && 'status' in answer
}
