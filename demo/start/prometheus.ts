import { setTimeout as sleep } from 'node:timers/promises'
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findOnPath } from './findOnPath.ts'
import { waitUntilReady } from './environment.ts'
import type { DemoProcesses } from './processes.ts'

export interface ScrapeTarget {
  readonly file: string
  readonly port: number
  readonly environment: string
}

export interface PrometheusInstallation {
  readonly file: string
  readonly port: number
  readonly url: string
}

export async function findPrometheus(choosePort: () => Promise<number>): Promise<PrometheusInstallation | null> {
  const file = await findOnPath('prometheus')
  if (file === null) return null
  const port = await choosePort()
  return { file, port, url: `http://127.0.0.1:${port}` }
}

/**
 * Starts Prometheus with the configuration of the repository. The configuration refers to targets and rules by relative
 * path, so it is copied into the folder of the run, with the targets next to it and a link to the rules.
 */
export async function startPrometheus(
  processes: DemoProcesses,
  root: string,
  folder: string,
  prometheus: PrometheusInstallation,
  targets: readonly ScrapeTarget[],
): Promise<void> {
  const configFolder = join(folder, 'provisioning/prometheus')
  await mkdir(join(configFolder, 'targets'), { recursive: true })
  await copyFile(join(root, 'provisioning/prometheus/prometheus.yml'), join(configFolder, 'prometheus.yml'))
  await symlink(join(root, 'alerts'), join(folder, 'alerts'), 'dir')
  for (const { file, port, environment } of targets) {
    const target = [{ targets: [`127.0.0.1:${port}`], labels: { environment } }]
    await writeFile(join(configFolder, 'targets', `${file}.json`), JSON.stringify(target))
  }
  await processes.command({
    name: 'Prometheus',
    file: prometheus.file,
    args: [
      `--config.file=${join(configFolder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${prometheus.port}`,
    ],
    env: {},
  })
  await waitUntilReady(processes, `${prometheus.url}/-/ready`, 'Prometheus')
}

/** Waits up to 30 s until Prometheus has scraped every agent and service. */
export async function waitForTargets(url: string, wanted: number): Promise<void> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent('sum(up{job=~"sti-.*"})')}`)
    const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } }
    const up = Number(data.result[0]?.value[1] ?? 0)
    if (up === wanted) return
    if (Date.now() > deadline)
      throw new Error(`Only ${up} of ${wanted} Prometheus targets are up after 30 s. See ${url}/targets`)
    await sleep(250)
  }
}
