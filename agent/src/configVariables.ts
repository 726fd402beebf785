/** What the configuration declares about an environment variable of the agent. */
export interface ConfigVariable {
  /** One sentence without a period. */
  readonly meaning: string
  /** What applies without the variable; null: the agent does not start without it. */
  readonly default: string | null
  /** A value as an operator writes it; for a secret, the name of its file. */
  readonly example: string
  /** True: the value is a secret or a long text, which belongs in a file. */
  readonly inFile?: true
}

/**
 * Every environment variable of the agent, in the order of documentation. The configuration can read no other one, and
 * the environment file of deploy/ is generated from this table.
 */
export const CONFIG_VARIABLES = {
  STI_ENVIRONMENT: {
    meaning: 'Name of the environment in requests, metrics, and the state in the database',
    default: null,
    example: 'production',
  },
  STI_PRODUCTION: {
    meaning: 'Shows the environment in red in Grafana',
    default: 'true if the environment is production',
    example: 'true',
  },
  STI_AGENT: { meaning: 'Name of this process', default: 'host name and port', example: 'production-1' },
  STI_DATABASE_URL: {
    meaning: 'Connection URL of the primary',
    default: null,
    example: 'database-url',
    inFile: true,
  },
  STI_DATABASE_CONNECTIONS: {
    meaning: 'Connections for short statements of requests and checks, 2 to 20',
    default: '6',
    example: '6',
  },
  STI_REPLICA_URL: {
    meaning: 'Connection URL of a standby that validations read',
    default: 'validations read the primary',
    example: 'replica-url',
    inFile: true,
  },
  STI_ROLLOUTS: { meaning: 'Folder of the rollout files', default: null, example: '/etc/sti/rollouts' },
  STI_HOST: { meaning: 'Address that the agent listens on', default: '127.0.0.1', example: '127.0.0.1' },
  STI_PORT: { meaning: 'Port that the agent listens on', default: '8090', example: '8090' },
  STI_TOKEN_VIEWER: {
    meaning: 'Token of the viewer route of Grafana’s data source',
    default: null,
    example: 'viewer',
    inFile: true,
  },
  STI_TOKEN_EDITOR: {
    meaning: 'Token of the editor route of Grafana’s data source',
    default: null,
    example: 'editor',
    inFile: true,
  },
  STI_TOKEN_ADMIN: {
    meaning: 'Token of the admin route of Grafana’s data source',
    default: null,
    example: 'admin',
    inFile: true,
  },
  STI_TOKEN_FLAG: { meaning: 'Token of the application', default: null, example: 'flag', inFile: true },
  STI_TOKEN_METRICS: {
    meaning: 'Token that Prometheus sends',
    default: '/metrics needs no token',
    example: 'metrics',
    inFile: true,
  },
  STI_WEBHOOK_SECRET: {
    meaning: 'Secret that Grafana signs alerts with',
    default: 'Grafana’s webhook is off',
    example: 'webhook',
    inFile: true,
  },
  STI_ALERTMANAGER_TOKEN: {
    meaning: 'Bearer token that Alertmanager sends',
    default: 'Alertmanager’s webhook is off',
    example: 'alertmanager',
    inFile: true,
  },
  STI_GUARD: {
    meaning: 'false: only alerts trigger an automatic rollback, the agent’s own guard does not',
    default: 'true',
    example: 'true',
  },
  STI_PERSONAL_TOKENS: {
    meaning: 'Personal tokens for the command line, one name:level:token per line',
    default: 'none',
    example: 'people',
    inFile: true,
  },
  STI_GRAFANA_URL: {
    meaning: 'Grafana server that publishes the signing keys',
    default: 'Grafana may only read',
    example: 'https://grafana.example.com',
  },
  STI_GRAFANA_ISSUER: {
    meaning: 'Grafana’s root_url',
    default: 'STI_GRAFANA_URL',
    example: 'https://grafana.example.com',
  },
  STI_GRAFANA_AUDIENCE: { meaning: 'Organization in Grafana', default: 'org:1', example: 'org:1' },
  STI_GRAFANA_TOKEN: {
    meaning: 'Token of a service account with the Viewer role, which readiness reads the dashboard with',
    default: 'readiness reads without a login',
    example: 'grafana-token',
    inFile: true,
  },
  STI_PROMETHEUS_URL: {
    meaning: 'Prometheus server for PromQL in rollout files',
    default: 'none',
    example: 'http://127.0.0.1:9090',
  },
  STI_SIGNING_KEY: {
    meaning: 'Ed25519 key as PKCS#8 PEM, which signs reports',
    default: 'reports are unsigned',
    example: 'signing-key.pem',
    inFile: true,
  },
  STI_TRUSTED_KEYS: {
    meaning: 'Keys of other environments, as printed by sti signing-key',
    default: 'no report is accepted for promotion',
    example: 'trusted-keys.json',
    inFile: true,
  },
  STI_GITHUB_REPOSITORY: {
    meaning: 'Repository in which pull requests of the column drop are opened',
    default: 'pull requests are written to a folder',
    example: 'example/application',
  },
  STI_GITHUB_TOKEN: {
    meaning: 'Token that opens pull requests',
    default: 'none',
    example: 'github-token',
    inFile: true,
  },
  STI_GITHUB_API_URL: {
    meaning: 'API of a GitHub Enterprise server',
    default: 'https://api.github.com',
    example: 'https://api.github.com',
  },
  STI_ARCHIVE_FOLDER: {
    meaning: 'Folder that --export-archive writes to',
    default: 'exports are off',
    example: '/var/lib/sti-agent/archives',
  },
  STI_SPOOL_FOLDER: {
    meaning: 'Folder in which the agent keeps an off that the database has not stored',
    default: 'a folder of the agent in the temporary folder',
    example: '/var/lib/sti-agent/spool',
  },
  STI_RIGHTS: {
    meaning: 'Higher rights for actions',
    default: 'none',
    example: 'enable=admin,backfill=admin',
  },
} as const satisfies Record<string, ConfigVariable>

export type ConfigVariableName = keyof typeof CONFIG_VARIABLES

const SECRETS_FOLDER = '/etc/sti/secrets'

/**
 * An environment file for systemd, `docker run --env-file`, and `sti agent --env-file`. Required variables are set; optional ones
 * are comments.
 */
export function agentEnvironmentFile(): string {
  const blocks = Object.entries<ConfigVariable>(CONFIG_VARIABLES).map(([name, variable]) => {
    const assignment = variable.inFile
      ? `${name}_FILE=${SECRETS_FOLDER}/${variable.example}`
      : `${name}=${variable.example}`
    return variable.default === null
      ? `# ${variable.meaning}. Required.\n${assignment}\n`
      : `# ${variable.meaning}. Default: ${variable.default}.\n#${assignment}\n`
  })
  const header = [
    '# Every variable of the agent. Remove the # in front of a variable to set it.',
    '# NAME_FILE=path reads the value of NAME from a file, which suits secrets.',
    '# Check the file with: sti agent --check --env-file /etc/sti/agent.env',
  ]
  return `${header.join('\n')}\n\n${blocks.join('\n')}`
}
