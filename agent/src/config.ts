import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GithubConfig } from './columnDrop/pullRequest/github.ts'
import { AccessLevel } from './contract/index.ts'
import { STATE_CONNECTIONS } from './database/connect.ts'
import { ConnectionUrlError, parseConnectionUrl } from './database/connectionUrl.ts'
import { displayUrl, httpUrlFault, splitCredentials } from './format/url.ts'
import { isAtLeast } from './rights/caller.ts'
import type { GrafanaToken } from './readiness/grafanaToken.ts'
import { RIGHT_LEVELS, type RaisedRights, type Right } from './rights/rights.ts'
import type { ConfigVariableName } from './configVariables.ts'
import { createEnvReader, type EnvReader } from './envReader.ts'
import { InvalidKey, parseSigningKey, parseTrustedKeys, type SigningKey, type TrustedKey } from './signature/keys.ts'

type ConfigReader = EnvReader<ConfigVariableName>

export interface Config {
  readonly environment: string
  readonly production: boolean
  readonly agent: string
  readonly databaseUrl: string
  /** Connections for short statements on the state. */
  readonly databaseConnections: number
  /** A standby of the server that validations read; null: they read the primary. */
  readonly replicaUrl: string | null
  /** Directory of the rollout files. */
  readonly rolloutsFolder: string
  readonly host: string
  readonly port: number
  readonly tokens: {
    readonly viewer: string
    readonly editor: string
    readonly admin: string
    readonly flag: string
    readonly metrics: string | null
    /** Bearer token of Alertmanager's webhook; null: the webhook is disabled. */
    readonly alertmanager: string | null
  }
  /** HMAC secret of Grafana's webhook; null: the webhook is disabled. */
  readonly webhookSecret: string | null
  /** The agent evaluates the signals itself, and rolls back without waiting for an alert. */
  readonly guard: boolean
  readonly personalTokens: readonly PersonalToken[]
  readonly grafana: GrafanaConfig | null
  readonly prometheusUrl: string | null
  /** Key that signs reports; null: reports are not signed. */
  readonly signingKey: SigningKey | null
  /** Keys whose reports can promote a rollout here. */
  readonly trustedKeys: readonly TrustedKey[]
  readonly rights: RaisedRights
  /** Repository for pull requests of column drops; null: they are written but not opened. */
  readonly github: GithubConfig | null
  /** Directory for exported archives of legacy columns; null: exports are disabled. */
  readonly archiveFolder: string | null
  /** Directory for offs that the database has not stored yet. */
  readonly spoolFolder: string
}

export interface PersonalToken {
  readonly name: string
  readonly level: AccessLevel
  readonly token: string
}

export interface GrafanaConfig {
  /** URL of Grafana as seen by the agent, without a trailing slash. */
  readonly url: string
  /** `iss` of its identities: Grafana's root_url, without a trailing slash. */
  readonly issuer: string
  /** `aud`, such as org:1. */
  readonly audience: string
  /** Token of a service account that can read the dashboard; null: anonymous. */
  readonly token: GrafanaToken
}

export class ConfigError extends Error {
  readonly code = 'config'
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'an error' : `${faults.length} errors`}:\n${faults.map((f) => `- ${f}`).join('\n')}`,
    )
    this.name = 'ConfigError'
    this.faults = faults
  }
}

const MIN_TOKEN_LENGTH = 24
/** Variables that are not named STI_TOKEN_<name>. */
const TOKEN_VARIABLES: Readonly<Record<string, string>> = { alertmanager: 'STI_ALERTMANAGER_TOKEN' }

/** Reads the environment variables of the agent. @throws ConfigError with every fault; it contains no secret */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const settings = createEnvReader<ConfigVariableName>(env)
  const environment = settings.required('STI_ENVIRONMENT')
  if (environment && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(environment))
    settings.addFault(
      'STI_ENVIRONMENT must start with a letter or digit, contain only letters, digits, and . _ -, and have at most 63 characters',
    )
  const port = readPort(settings)
  const tokens = {
    viewer: checkToken(settings, 'STI_TOKEN_VIEWER', settings.required('STI_TOKEN_VIEWER')),
    editor: checkToken(settings, 'STI_TOKEN_EDITOR', settings.required('STI_TOKEN_EDITOR')),
    admin: checkToken(settings, 'STI_TOKEN_ADMIN', settings.required('STI_TOKEN_ADMIN')),
    flag: checkToken(settings, 'STI_TOKEN_FLAG', settings.required('STI_TOKEN_FLAG')),
    metrics: readOptionalToken(settings, 'STI_TOKEN_METRICS'),
    alertmanager: readOptionalToken(settings, 'STI_ALERTMANAGER_TOKEN'),
  }
  const webhookSecret = readOptionalToken(settings, 'STI_WEBHOOK_SECRET')
  const personalTokens = readPersonalTokens(settings)
  requireDistinctCredentials(settings, [
    ...Object.entries(tokens).map(
      ([name, value]) => [TOKEN_VARIABLES[name] ?? `STI_TOKEN_${name.toUpperCase()}`, value] as const,
    ),
    ['STI_WEBHOOK_SECRET', webhookSecret] as const,
    ...personalTokens.map(({ name, token }) => [`the personal token of ${name}`, token] as const),
  ])
  const config: Config = {
    environment,
    production: readBoolean(settings, 'STI_PRODUCTION') ?? environment === 'production',
    agent: settings.optional('STI_AGENT') ?? `${hostname()}-${port}`,
    databaseUrl: checkDatabaseUrl(settings, 'STI_DATABASE_URL', settings.required('STI_DATABASE_URL')),
    databaseConnections: readDatabaseConnections(settings),
    replicaUrl: readReplicaUrl(settings),
    rolloutsFolder: settings.required('STI_ROLLOUTS'),
    host: settings.optional('STI_HOST') ?? '127.0.0.1',
    port,
    tokens,
    webhookSecret,
    guard: readBoolean(settings, 'STI_GUARD') ?? true,
    personalTokens,
    grafana: readGrafanaConfig(settings),
    prometheusUrl: readUrl(settings, 'STI_PROMETHEUS_URL', 'allowed'),
    signingKey: readKey(settings, 'STI_SIGNING_KEY', (text) => parseSigningKey(text, environment)),
    trustedKeys: readKey(settings, 'STI_TRUSTED_KEYS', parseTrustedKeys) ?? [],
    rights: readRaisedRights(settings),
    github: readGithubConfig(settings),
    archiveFolder: settings.optional('STI_ARCHIVE_FOLDER'),
    spoolFolder: settings.optional('STI_SPOOL_FOLDER') ?? join(tmpdir(), `sti-agent-${process.getuid?.() ?? 'user'}`),
  }
  if (settings.faults.length > 0) throw new ConfigError(settings.faults)
  return config
}

const MIN_CONNECTIONS = 2
const MAX_CONNECTIONS = 20

/** At least two: the heartbeat of an operation must not wait for another statement. */
function readDatabaseConnections(settings: ConfigReader): number {
  const text = settings.optional('STI_DATABASE_CONNECTIONS') ?? String(STATE_CONNECTIONS)
  const count = /^\d{1,2}$/.test(text) ? Number(text) : 0
  if (count < MIN_CONNECTIONS || count > MAX_CONNECTIONS)
    settings.addFault(`STI_DATABASE_CONNECTIONS must be a number from ${MIN_CONNECTIONS} to ${MAX_CONNECTIONS}`)
  return count
}

function readPort(settings: ConfigReader): number {
  const text = settings.optional('STI_PORT') ?? '8090'
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) settings.addFault('STI_PORT must be a number from 1 to 65535')
  return port
}

function readBoolean(settings: ConfigReader, name: ConfigVariableName): boolean | null {
  const text = settings.optional(name)
  if (text !== null && text !== 'true' && text !== 'false') settings.addFault(`${name} must be true or false`)
  return text === null ? null : text === 'true'
}

function checkDatabaseUrl(settings: ConfigReader, name: string, text: string): string {
  try {
    if (text) parseConnectionUrl(text)
  } catch (error) {
    if (!(error instanceof ConnectionUrlError)) throw error
    settings.addFault(`${name} ${error.message}`)
  }
  return text
}

function readReplicaUrl(settings: ConfigReader): string | null {
  const text = settings.optional('STI_REPLICA_URL')
  return text === null ? null : checkDatabaseUrl(settings, 'STI_REPLICA_URL', text)
}

function readUrl(settings: ConfigReader, name: ConfigVariableName, credentials: 'allowed' | 'refused'): string | null {
  const text = settings.optional(name)
  if (text === null) return null
  const fault = httpUrlFault(text, credentials)
  if (fault === null) return text.replace(/\/+$/, '')
  settings.addFault(`${name} ${fault}`)
  return null
}

function readGrafanaConfig(settings: ConfigReader): GrafanaConfig | null {
  const url = readUrl(settings, 'STI_GRAFANA_URL', 'allowed')
  const issuer = readUrl(settings, 'STI_GRAFANA_ISSUER', 'refused')
  const audience = settings.optional('STI_GRAFANA_AUDIENCE') ?? 'org:1'
  // The file is read while the agent runs: it is written once Grafana runs, and may be replaced.
  const token = settings.valueOrFile('STI_GRAFANA_TOKEN')
  if (!/^org:\d+$/.test(audience)) settings.addFault('STI_GRAFANA_AUDIENCE must look like org:1')
  if (url === null) {
    if (issuer !== null) settings.addFault('STI_GRAFANA_ISSUER requires STI_GRAFANA_URL')
    if (token !== null) settings.addFault('STI_GRAFANA_TOKEN requires STI_GRAFANA_URL')
    return null
  }
  if (token !== null && splitCredentials(url).authorization !== null)
    settings.addFault('STI_GRAFANA_URL has a user name and STI_GRAFANA_TOKEN is set; remove one')
  return { url, issuer: issuer ?? displayUrl(url), audience, token }
}

function readGithubConfig(settings: ConfigReader): GithubConfig | null {
  const repository = settings.optional('STI_GITHUB_REPOSITORY')
  const token = settings.optional('STI_GITHUB_TOKEN')
  const apiUrl = readUrl(settings, 'STI_GITHUB_API_URL', 'refused')
  if (repository === null) {
    if (token !== null) settings.addFault('STI_GITHUB_TOKEN requires STI_GITHUB_REPOSITORY')
    if (apiUrl !== null) settings.addFault('STI_GITHUB_API_URL requires STI_GITHUB_REPOSITORY')
    return null
  }
  const [owner = '', name = '', ...rest] = repository.split('/')
  if (![owner, name].every((part) => /^[A-Za-z0-9._-]{1,100}$/.test(part)) || rest.length > 0)
    settings.addFault('STI_GITHUB_REPOSITORY must look like owner/name')
  if (token === null) settings.addFault('STI_GITHUB_REPOSITORY requires STI_GITHUB_TOKEN')
  return { owner, repository: name, token: token ?? '', apiUrl: apiUrl ?? 'https://api.github.com' }
}

function readKey<T>(settings: ConfigReader, name: ConfigVariableName, parse: (text: string) => T): T | null {
  const text = settings.optional(name)
  if (text === null) return null
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof InvalidKey)) throw error
    settings.addFault(`${name} ${error.message}`)
    return null
  }
}

/** A bearer token of RFC 6750, so that no proxy or provisioning file alters it. */
function checkToken(settings: ConfigReader, name: string, value: string): string {
  if (value && value.length < MIN_TOKEN_LENGTH)
    settings.addFault(`${name} must have at least ${MIN_TOKEN_LENGTH} characters`)
  if (value && !/^[A-Za-z0-9._~+/-]+=*$/.test(value))
    settings.addFault(`${name} must contain only letters, digits, and - . _ ~ + /, with = only at the end`)
  return value
}

function readOptionalToken(settings: ConfigReader, name: ConfigVariableName): string | null {
  const value = settings.optional(name)
  return value === null ? null : checkToken(settings, name, value)
}

function readPersonalTokens(settings: ConfigReader): PersonalToken[] {
  const lines = (settings.optional('STI_PERSONAL_TOKENS') ?? '').split('\n')
  const names = new Set<string>()
  return lines.flatMap((line, index): PersonalToken[] => {
    if (!line.trim()) return []
    const where = `STI_PERSONAL_TOKENS line ${index + 1}`
    const [name = '', levelText = '', value = '', ...rest] = line.trim().split(':')
    const level = AccessLevel.safeParse(levelText)
    if (!/^[A-Za-z0-9._@-]{1,64}$/.test(name) || !level.success || !value || rest.length > 0) {
      settings.addFault(`${where} must be name:level:token with the level viewer, editor, or admin`)
      return []
    }
    if (names.has(name)) settings.addFault(`${where} repeats the name ${name}`)
    names.add(name)
    return [{ name, level: level.data, token: checkToken(settings, `${where} (${name}): the token`, value) }]
  })
}

function requireDistinctCredentials(
  settings: ConfigReader,
  credentials: readonly (readonly [string, string | null])[],
): void {
  credentials.forEach(([name, value], index) => {
    const duplicate = value && credentials.slice(0, index).find(([, other]) => other === value)
    if (duplicate) settings.addFault(`${name} equals ${duplicate[0]}; every credential must be unique`)
  })
}

function readRaisedRights(settings: ConfigReader): RaisedRights {
  const rights: RaisedRights = {}
  for (const part of (settings.optional('STI_RIGHTS') ?? '').split(/[,\n]/)) {
    if (!part.trim()) continue
    const [right = '', levelText = '', ...rest] = part.split('=').map((word) => word.trim())
    const level = AccessLevel.safeParse(levelText)
    if (!Object.hasOwn(RIGHT_LEVELS, right) || !level.success || rest.length > 0) {
      settings.addFault(
        `STI_RIGHTS: "${part.trim()}" must be right=level; rights are ${Object.keys(RIGHT_LEVELS).join(', ')}`,
      )
      continue
    }
    const needed: AccessLevel = RIGHT_LEVELS[right as Right]
    const earlier = rights[right as Right]
    if (!isAtLeast(level.data, needed))
      settings.addFault(`STI_RIGHTS: ${right} requires at least ${needed}; a right can be raised, not lowered`)
    else if (level.data === needed)
      settings.addFault(`STI_RIGHTS: ${right} already requires ${needed}; remove it or raise it further`)
    if (earlier !== undefined)
      settings.addFault(
        earlier === level.data
          ? `STI_RIGHTS: ${right} is listed twice; remove one`
          : `STI_RIGHTS: ${right} is both ${earlier} and ${level.data}; remove one`,
      )
    rights[right as Right] = level.data
  }
  return rights
}
