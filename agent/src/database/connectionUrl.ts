import { accessSync, constants } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'

/** The target, user, and encryption of a connection, as libpq reads them from the same URL. */
export interface ConnectionTarget {
  /** Tried in this order for each connection. */
  readonly hosts: readonly ServerHost[]
  readonly user: string
  readonly password: string
  readonly database: string
  /** For each host: until the session is ready. */
  readonly connectTimeoutMs: number
  /** Appended to the names that the agent gives its sessions; null: nothing is appended. */
  readonly applicationName: string | null
  /** The kind of server or session that is accepted; the next host is tried otherwise. */
  readonly targetSession: TargetSession
  readonly tls: TlsTarget
  /** The `options` of the startup packet; null: none. */
  readonly options: string | null
  /** Settings of PostgreSQL that the URL names. The settings that the agent needs override them. */
  readonly serverSettings: ReadonlyMap<string, string>
}

export interface ServerHost {
  /** As the URL names it; a certificate is checked against it. */
  readonly name: string
  /** What is connected to: the name, or its `hostaddr`. */
  readonly address: string
  readonly port: number
  /** Path of the Unix socket; null: TCP. */
  readonly socketPath: string | null
}

const TARGET_SESSIONS = ['any', 'read-write', 'read-only', 'primary', 'standby'] as const
export type TargetSession = (typeof TARGET_SESSIONS)[number]

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type SslMode = (typeof SSL_MODES)[number]

export interface TlsTarget {
  readonly mode: SslMode
  /** Starts with TLS, without asking for it first. */
  readonly direct: boolean
  /** Path of the certificates of trusted authorities; `system`: those of Node.js; null: no certificate is checked. */
  readonly rootCertificates: string | null
  readonly certificate: string | null
  readonly key: string | null
  readonly keyPassword: string | null
  /** Sends the server's name before the connection is encrypted. */
  readonly serverNameIndication: boolean
  readonly minVersion: TlsVersion | null
  readonly maxVersion: TlsVersion | null
}

const TLS_VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const
type TlsVersion = (typeof TLS_VERSIONS)[number]

/** Why a connection URL cannot be used. The message continues a sentence that begins with the URL's name, and never contains a part of its value. */
export class ConnectionUrlError extends Error {
  readonly code = 'connection-url'
}

const DEFAULT_PORT = 5432
const DEFAULT_CONNECT_TIMEOUT_MS = 2_000
/** libpq takes 1 second as 2 too. */
const MIN_CONNECT_TIMEOUT_S = 2

/** Parameters of libpq whose only accepted values are those that change nothing here. */
const WITHOUT_EFFECT: Readonly<Record<string, readonly string[]>> = {
  channel_binding: ['disable', 'prefer'],
  client_encoding: ['utf8', 'utf-8', 'unicode', 'auto'],
  gssdelegation: ['0'],
  gssencmode: ['disable', 'prefer'],
  load_balance_hosts: ['disable'],
  sslcertmode: ['allow'],
  sslcompression: ['0'],
}
/** Parameters of libpq that have no counterpart here. */
const NOT_SUPPORTED = new Set([
  ...['gsslib', 'krbsrvname', 'passfile', 'replication', 'require_auth', 'requirepeer', 'scram_client_key'],
  ...['scram_server_key', 'service', 'servicefile', 'sslcrl', 'sslcrldir', 'sslkeylogfile', 'sslpassword_command'],
  ...['min_protocol_version', 'max_protocol_version', 'oauth_issuer', 'oauth_client_id', 'oauth_client_secret'],
  ...['oauth_scope', 'database', 'authtype', 'tty'],
])
/** Accepted for compatibility: the agent sends keepalives, and bounds the time of each statement itself. */
const IGNORED = new Set([
  ...['keepalives', 'keepalives_idle', 'keepalives_interval', 'keepalives_count', 'tcp_user_timeout'],
  'fallback_application_name',
])

/**
 * Reads a connection URL as libpq does, `postgres://user:password@host:port,host:port/database?parameter=value`.
 * Environment variables and files of libpq are not read, except its default certificates.
 * @throws ConnectionUrlError
 */
export function parseConnectionUrl(text: string): ConnectionTarget {
  // A question mark before the first @ belongs to the user or the password.
  const parts = /^postgres(?:ql)?:\/\/((?:[^@/]*@)?[^?]*)(?:\?(.*))?$/s.exec(text)
  if (parts === null) throw new ConnectionUrlError('must look like postgres://user:password@host:5432/name')
  const parameters = parseParameters(parts[2] ?? '')
  const authority = parseAuthority(parts[1]!)
  const take = (name: string): string | null => {
    const value = parameters.get(name) ?? null
    parameters.delete(name)
    return value === '' ? null : value
  }
  const user = take('user') ?? authority.user ?? userInfo().username
  const passwordParameter = take('password')
  const hosts = readHosts(
    take('host') ?? authority.hosts,
    take('hostaddr'),
    parameters.has('port') ? take('port') : authority.ports,
  )
  const target: ConnectionTarget = {
    hosts,
    user,
    password: passwordParameter ?? authority.password ?? '',
    database: take('dbname') ?? authority.database ?? user,
    connectTimeoutMs: readConnectTimeout(take('connect_timeout')),
    applicationName: take('application_name'),
    targetSession: readChoice('target_session_attrs', take('target_session_attrs'), TARGET_SESSIONS) ?? 'any',
    tls: readTls(take),
    options: take('options'),
    serverSettings: readServerSettings(parameters, passwordParameter !== null),
  }
  return target
}

function parseAuthority(text: string): {
  user: string | null
  password: string | null
  hosts: string | null
  ports: string | null
  database: string | null
} {
  const slash = text.search(/[@/]/)
  const at = slash !== -1 && text[slash] === '@' ? slash : -1
  const [login, location] = at === -1 ? ['', text] : [text.slice(0, at), text.slice(at + 1)]
  const colon = login.indexOf(':')
  const [hostList = '', ...path] = location.split('/')
  if (hostList.includes('@') || path.length > 1)
    throw new ConnectionUrlError('contains an @ or / that must be percent-encoded (%40, %2F) in the user or password')
  const hosts = hostList.split(',').map(splitHost)
  const empty = hostList === ''
  return {
    user: decode(colon === -1 ? login : login.slice(0, colon)) || null,
    password: colon === -1 ? null : decode(login.slice(colon + 1)),
    hosts: empty ? null : hosts.map(({ host }) => host).join(','),
    ports: empty ? null : hosts.map(({ port }) => port).join(','),
    database: decode(path[0] ?? '') || null,
  }
}

function splitHost(text: string): { host: string; port: string } {
  const parts = /^(?:\[([0-9A-Fa-f:.]+(?:%[^\]]+)?)\]|([^:[\]]*))(?::(\d*))?$/.exec(text)
  if (parts === null)
    throw new ConnectionUrlError('has a host that cannot be read: write name:port, or [address]:port for IPv6')
  return { host: parts[1] ?? decode(parts[2]!), port: parts[3] ?? '' }
}

function parseParameters(query: string): Map<string, string> {
  const parameters = new Map<string, string>()
  for (const pair of query === '' ? [] : query.split('&')) {
    const equals = pair.indexOf('=')
    if (equals < 1) throw new ConnectionUrlError('has a parameter without a name or a value after the question mark')
    const name = decode(pair.slice(0, equals))
    const value = decode(pair.slice(equals + 1))
    if (name === 'ssl' && value === 'true') parameters.set('sslmode', 'require')
    else parameters.set(name, value)
  }
  return parameters
}

function decode(text: string): string {
  try {
    const decoded = decodeURIComponent(text)
    if (!decoded.includes('\0')) return decoded
  } catch {
    // Not percent-encoded UTF-8: refused below.
  }
  throw new ConnectionUrlError(
    'contains a % that is not part of a percent-encoded character (write %25 for a percent sign)',
  )
}

function readHosts(hostList: string | null, addressList: string | null, portList: string | null): ServerHost[] {
  if (hostList === null && addressList === null)
    throw new ConnectionUrlError('has no host: write postgres://user:password@host:5432/name')
  const addresses = addressList?.split(',') ?? null
  const names = hostList?.split(',') ?? addresses!
  const ports = (portList ?? '').split(',')
  if (addresses !== null && addresses.length !== names.length)
    throw new ConnectionUrlError('must have as many addresses in hostaddr as hosts')
  if (ports.length !== 1 && ports.length !== names.length)
    throw new ConnectionUrlError('must have one port, or as many as hosts')
  return names.map((name, index) => {
    const text = ports.length === 1 ? ports[0]! : ports[index]!
    const port = text === '' ? DEFAULT_PORT : /^\d{1,5}$/.test(text) ? Number(text) : 0
    if (port < 1 || port > 65_535) throw new ConnectionUrlError('has a port that is not a number from 1 to 65535')
    const address = addresses?.[index] || name
    if (address === '') throw new ConnectionUrlError('has an empty host in its list of hosts')
    if (address.startsWith('@'))
      throw new ConnectionUrlError(
        'names an abstract Unix socket, which is not supported: name a folder that begins with /',
      )
    const socketPath = address.startsWith('/') ? join(address, `.s.PGSQL.${port}`) : null
    return { name: name || address, address, port, socketPath }
  })
}

function readConnectTimeout(text: string | null): number {
  if (text === null) return DEFAULT_CONNECT_TIMEOUT_MS
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (seconds < 1) throw new ConnectionUrlError('has a connect_timeout that is not a number of seconds from 1 to 9999')
  return Math.max(MIN_CONNECT_TIMEOUT_S, seconds) * 1_000
}

function readChoice<T extends string>(name: string, text: string | null, choices: readonly T[]): T | null {
  if (text === null) return null
  const choice = choices.find((candidate) => candidate === text)
  if (choice === undefined)
    throw new ConnectionUrlError(`has a value of ${name} that is not supported: use ${choices.join(', ')}`)
  return choice
}

function readTls(take: (name: string) => string | null): TlsTarget {
  const root = take('sslrootcert')
  const mode = readChoice('sslmode', take('sslmode'), SSL_MODES) ?? (root === 'system' ? 'verify-full' : 'prefer')
  const direct = readChoice('sslnegotiation', take('sslnegotiation'), ['postgres', 'direct']) === 'direct'
  const verifies = mode === 'verify-ca' || mode === 'verify-full'
  const encrypts = verifies || mode === 'require'
  if (direct && !encrypts)
    throw new ConnectionUrlError('has sslnegotiation=direct, which needs sslmode=require, verify-ca or verify-full')
  if (root === 'system' && mode !== 'verify-full')
    throw new ConnectionUrlError('has sslrootcert=system, which needs sslmode=verify-full')
  const rootCertificates = encrypts ? (root ?? findDefaultFile('root.crt')) : null
  if (verifies && rootCertificates === null)
    throw new ConnectionUrlError(
      `has sslmode=${mode}, which needs sslrootcert: the path of a file of certificates, or system`,
    )
  const certificate = take('sslcert') ?? findDefaultFile('postgresql.crt')
  const key = take('sslkey') ?? findDefaultFile('postgresql.key')
  const tls: TlsTarget = {
    mode,
    direct,
    rootCertificates,
    certificate: mode === 'disable' ? null : certificate,
    key: mode === 'disable' ? null : key,
    keyPassword: take('sslpassword'),
    serverNameIndication: readChoice('sslsni', take('sslsni'), ['1', '0']) !== '0',
    minVersion: readChoice('ssl_min_protocol_version', take('ssl_min_protocol_version'), TLS_VERSIONS),
    maxVersion: readChoice('ssl_max_protocol_version', take('ssl_max_protocol_version'), TLS_VERSIONS),
  }
  if (tls.certificate !== null && tls.key === null)
    throw new ConnectionUrlError('has sslcert without sslkey: name the file of its private key')
  for (const [name, path] of [
    ['sslrootcert', tls.rootCertificates],
    ['sslcert', tls.certificate],
    ['sslkey', tls.key],
  ] as const)
    if (path !== null && path !== 'system' && !isReadable(path))
      throw new ConnectionUrlError(`has an ${name} that is not a readable file`)
  return tls
}

function findDefaultFile(name: string): string | null {
  const path = join(homedir(), '.postgresql', name)
  return isReadable(path) ? path : null
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

/** A parameter that libpq does not know is a setting of PostgreSQL. */
function readServerSettings(parameters: ReadonlyMap<string, string>, withPassword: boolean): Map<string, string> {
  const settings = new Map<string, string>()
  for (const [name, value] of parameters) {
    const accepted = Object.hasOwn(WITHOUT_EFFECT, name) ? WITHOUT_EFFECT[name]! : null
    if (accepted !== null && !accepted.includes(value.toLowerCase()))
      throw new ConnectionUrlError(`has a value of ${name} that is not supported: use ${accepted.join(', ')}`)
    if (NOT_SUPPORTED.has(name))
      throw new ConnectionUrlError(`has the parameter ${name}, which is not supported: remove it`)
    if (accepted !== null || IGNORED.has(name) || value === '') continue
    // An & in a password that is not percent-encoded would make a name of its rest, which PostgreSQL would repeat.
    if (withPassword || !/^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$/.test(name))
      throw new ConnectionUrlError('has a parameter that neither libpq nor PostgreSQL supports')
    settings.set(name.toLowerCase(), value)
  }
  return settings
}
