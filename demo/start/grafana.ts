import { execFile } from 'node:child_process'
import { mkdir, readdir, realpath, stat, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { agentUrl, waitUntilReady, type DemoEnvironment } from './environment.ts'
import { findOnPath, isExecutable } from './findOnPath.ts'
import type { DemoProcesses } from './processes.ts'

export interface GrafanaInstallation {
  readonly home: string
  readonly file: string
  readonly port: number
  readonly url: string
}

/** Finds Grafana by GRAFANA_HOME, in /usr/share/grafana or on the PATH. */
export async function findGrafana(choosePort: () => Promise<number>): Promise<GrafanaInstallation | null> {
  const onPath = await findOnPath('grafana')
  const homes = [process.env.GRAFANA_HOME, '/usr/share/grafana', onPath && dirname(dirname(await realpath(onPath)))]
  for (const home of homes) {
    if (!home || !(await isExecutable(join(home, 'bin/grafana')))) continue
    const port = await choosePort()
    return { home, file: join(home, 'bin/grafana'), port, url: `http://127.0.0.1:${port}` }
  }
  return null
}

/** Builds the plugin if the build is missing or older than the source. Returns true if it was built. */
export async function buildPlugin(root: string): Promise<boolean> {
  const built = await stat(join(root, 'plugin/dist/plugin.json')).catch(() => null)
  const changed = await Promise.all(
    ['plugin/src', 'plugin/dashboard', 'agent/src/contract', 'alerts'].map((path) =>
      newestModificationMs(join(root, path)),
    ),
  )
  if (built !== null && built.mtimeMs >= Math.max(...changed)) return false
  await promisify(execFile)('npm', ['run', 'build', '-w', 'plugin'], { cwd: root, maxBuffer: 1e8 })
  return true
}

/** Modification time of the newest file in a folder, in milliseconds since 1970. */
async function newestModificationMs(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const times = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).mtimeMs))
  return Math.max(0, ...times)
}

/** Starts Grafana with the provisioning files of the repository, which take addresses and tokens from its environment. */
export async function startGrafana(
  processes: DemoProcesses,
  root: string,
  folder: string,
  grafana: GrafanaInstallation,
  password: string,
  prometheusUrl: string | null,
  environments: readonly DemoEnvironment[],
): Promise<void> {
  const data = join(folder, 'grafana')
  await mkdir(join(data, 'plugins'), { recursive: true })
  await symlink(join(root, 'plugin/dist'), join(data, 'plugins/sti-rollout-app'), 'dir')
  await processes.command({
    name: 'Grafana',
    file: grafana.file,
    // The pid file also marks the command line as part of this run (previousRun.ts).
    args: ['server', `--homepath=${grafana.home}`, `--pidfile=${join(data, 'grafana.pid')}`],
    env: {
      GF_SERVER_HTTP_ADDR: '127.0.0.1',
      GF_SERVER_HTTP_PORT: String(grafana.port),
      GF_SERVER_ROOT_URL: `${grafana.url}/`,
      GF_PATHS_DATA: data,
      GF_PATHS_LOGS: join(data, 'log'),
      GF_PATHS_PLUGINS: join(data, 'plugins'),
      GF_PATHS_PROVISIONING: join(root, 'provisioning/grafana'),
      GF_SECURITY_ADMIN_PASSWORD: password,
      GF_ANALYTICS_REPORTING_ENABLED: 'false',
      GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
      GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
      GF_PLUGINS_PREINSTALL_DISABLED: 'true',
      // Grafana notifies no provisioned contact point before its first poll.
      GF_UNIFIED_ALERTING_ALERTMANAGER_CONFIG_POLL_INTERVAL: '5s',
      GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS: 'sti-rollout-app,sti-rollout-datasource,sti-rollout-panel',
      ...provisioningVariables(root, prometheusUrl, environments),
    },
  })
  await waitUntilReady(processes, `${grafana.url}/api/health`, 'Grafana')
}

/** Environment variables that the files in provisioning/grafana use. */
export function provisioningVariables(
  root: string,
  prometheusUrl: string | null,
  environments: readonly DemoEnvironment[],
): Record<string, string> {
  const variables: Record<string, string> = {
    STI_PROMETHEUS_URL: prometheusUrl ?? 'http://127.0.0.1:9090',
    STI_DASHBOARDS: join(root, 'plugin/dist/dashboards'),
  }
  for (const environment of environments) {
    const name = environment.name.toUpperCase()
    variables[`STI_${name}_URL`] = agentUrl(environment)
    variables[`STI_${name}_TOKEN_VIEWER`] = environment.tokens.viewer
    variables[`STI_${name}_TOKEN_EDITOR`] = environment.tokens.editor
    variables[`STI_${name}_TOKEN_ADMIN`] = environment.tokens.admin
    variables[`STI_${name}_WEBHOOK_SECRET`] = environment.tokens.webhook
  }
  return variables
}
