import type {
  AcceptanceRequest,
  Acceptances,
  AcceptClientsRequest,
  AgentStatus,
  AttestationRequest,
  AutomaticRollback,
  AutomaticRollbackRequest,
  Baseline,
  BaselineComparison,
  BaselineImport,
  BaselineSummary,
  ColumnDrop,
  DrillRequest,
  FailedRow,
  FlagStatus,
  Group,
  Incident,
  Operation,
  OperationEvent,
  OperationPatch,
  OperationPreview,
  OperationRequest,
  Problem,
  Promotion,
  PromotionGate,
  PromotionRequest,
  Readiness,
  ReportFormat,
  RolloutDetail,
  RolloutSummary,
  Severity,
  Validation,
} from '../contract/index.ts'
import type { z } from 'zod'
import { CliError, ExitCode } from './exitCode.ts'
import type { AgentAddress } from './cliSettings.ts'

/** The request body of an operation; fields with a default are optional. */
export type OperationInput = z.input<typeof OperationRequest>

/** The agent cannot be reached, or the answer does not come from an STI agent. */
export class AgentUnreachableError extends CliError {
  constructor(url: string, problem: string) {
    super(ExitCode.failed, 'agent-unavailable', `The agent at ${url} ${problem}.`)
  }
}

/** The agent refused the request; the message and the reasons are the agent's own. */
export class AgentRefusedError extends CliError {
  constructor(problem: Problem) {
    super(exitCodeOfStatus(problem.status), problem.code, problem.detail, problem.reasons ?? [])
  }
}

function exitCodeOfStatus(status: number): ExitCode {
  if (status === 403 || status === 409) return ExitCode.refused
  return status < 500 ? ExitCode.usage : ExitCode.failed
}

export type AgentClient = ReturnType<typeof createAgentClient>

/**
 * The agent's HTTP API.
 *
 * @throws AgentUnreachableError, AgentRefusedError from every call
 */
export function createAgentClient({ url, token }: AgentAddress) {
  async function request(
    method: string,
    path: string,
    body?: unknown,
    idempotencyKey?: string,
  ): Promise<{ status: number; text: string }> {
    const headers: Record<string, string> = { authorization: `Bearer ${token}`, accept: 'application/json' }
    if (body !== undefined) headers['content-type'] = 'application/json'
    if (idempotencyKey) headers['idempotency-key'] = idempotencyKey
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
      throw new AgentUnreachableError(url, describeConnectionError(error))
    }
    if (response.ok) return { status: response.status, text }
    const problem = jsonOf(text, response.status)
    if (!isProblem(problem)) throw new AgentUnreachableError(url, `returned status ${response.status} without a reason`)
    throw new AgentRefusedError(problem)
  }

  async function call<T>(method: string, path: string, body?: unknown, idempotencyKey?: string): Promise<T> {
    const { status, text } = await request(method, path, body, idempotencyKey)
    return jsonOf(text, status) as T
  }

  function jsonOf(text: string, status: number): unknown {
    const value = parseJson(text)
    if (value !== undefined) return value
    throw new AgentUnreachableError(
      url,
      `returned status ${status} without JSON, so it is not an STI agent: check the address`,
    )
  }

  const encode = encodeURIComponent
  const rolloutPath = (name: string): string => `/v1/rollouts/${encode(name)}`
  return {
    url,
    status: () => call<AgentStatus>('GET', '/v1/agent'),
    rollouts: async () => (await call<{ rollouts: RolloutSummary[] }>('GET', '/v1/rollouts')).rollouts,
    rollout: (name: string) => call<RolloutDetail>('GET', rolloutPath(name)),
    tables: (name: string, limit: number) => call<Group>('GET', `${rolloutPath(name)}/tables?limit=${limit}`),
    start: (name: string, request: OperationInput, idempotencyKey: string) =>
      call<Operation>('POST', `${rolloutPath(name)}/operations`, request, idempotencyKey),
    preview: (name: string, request: OperationInput) =>
      call<OperationPreview>('POST', `${rolloutPath(name)}/operations?dryRun=true`, request),
    operations: async (name?: string) =>
      (await call<{ operations: Operation[] }>('GET', `/v1/operations${name ? `?rollout=${encode(name)}` : ''}`))
        .operations,
    operation: (id: number) => call<Operation>('GET', `/v1/operations/${id}`),
    events: async (id: number) =>
      (await call<{ events: OperationEvent[] }>('GET', `/v1/operations/${id}/events`)).events,
    act: (id: number, verb: 'pause' | 'resume' | 'cancel', reason?: string) =>
      call<Operation>('POST', `/v1/operations/${id}/${verb}`, { reason }),
    tune: (id: number, patch: OperationPatch) => call<Operation>('PATCH', `/v1/operations/${id}`, patch),
    failedRows: (name: string) =>
      call<{ failedRows: FailedRow[]; total: number }>('GET', `${rolloutPath(name)}/failed-rows`),
    retryFailedRows: (name: string, body: { environment: string; reason?: string }, idempotencyKey: string) =>
      call<Operation>('POST', `${rolloutPath(name)}/failed-rows/retry`, body, idempotencyKey),
    acceptFailedRows: (name: string, body: { keys: string[][]; reason: string }) =>
      call<{ accepted: number }>('POST', `${rolloutPath(name)}/failed-rows/accept`, body),
    acceptClients: (name: string, body: AcceptClientsRequest) =>
      call<FlagStatus>('POST', `${rolloutPath(name)}/flag-clients/accept`, body),
    validation: (name: string, id: number) => call<Validation>('GET', `${rolloutPath(name)}/validations/${id}`),
    readiness: (name: string) => call<Readiness>('GET', `${rolloutPath(name)}/readiness`),
    columnDrop: (name: string) => call<ColumnDrop>('GET', `${rolloutPath(name)}/column-drop`),
    attest: (name: string, body: AttestationRequest) =>
      call<Readiness>('POST', `${rolloutPath(name)}/attestations`, body),
    acceptances: (name: string) => call<Acceptances>('GET', `${rolloutPath(name)}/acceptances`),
    accept: (name: string, body: AcceptanceRequest) =>
      call<Acceptances>('POST', `${rolloutPath(name)}/acceptances`, body),
    incidents: async (name: string | undefined, open: boolean, severity?: Severity) =>
      (
        await call<{ incidents: Incident[] }>(
          'GET',
          `/v1/incidents?open=${open}${name === undefined ? '' : `&rollout=${encode(name)}`}${severity === undefined ? '' : `&severity=${severity}`}`,
        )
      ).incidents,
    answerIncident: (id: number, verb: 'acknowledge' | 'resolve', note?: string) =>
      call<Incident>('POST', `/v1/incidents/${id}/${verb}`, { note }),
    automaticRollback: (name: string, body: AutomaticRollbackRequest) =>
      call<AutomaticRollback>('POST', `${rolloutPath(name)}/automatic-rollback`, body),
    drill: (name: string, body: DrillRequest) => call<Incident>('POST', `${rolloutPath(name)}/drill`, body),
    promote: (name: string, body: PromotionRequest) =>
      call<{ gate: PromotionGate | null; promotions: Promotion[] }>('POST', `${rolloutPath(name)}/promotions`, body),
    report: async (name: string, format: ReportFormat) =>
      (await request('GET', `${rolloutPath(name)}/report?format=${format}`)).text,
    baselines: async (name: string) =>
      (await call<{ baselines: BaselineSummary[] }>('GET', `${rolloutPath(name)}/baselines`)).baselines,
    baseline: (name: string, id: number | 'newest') => call<Baseline>('GET', `${rolloutPath(name)}/baselines/${id}`),
    compareBaseline: (name: string, id: number | 'newest') =>
      call<BaselineComparison>('GET', `${rolloutPath(name)}/baselines/${id}/comparison`),
    importBaseline: (name: string, body: BaselineImport) =>
      call<BaselineSummary>('POST', `${rolloutPath(name)}/baselines`, body),
    adopt: (body: { environment: string; reason: string }) => call<unknown>('POST', '/v1/agent/adopt', body),
  }
}

function describeConnectionError(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'did not respond within 20 s'
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

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'detail' in value && 'code' in value && 'status' in value
}
