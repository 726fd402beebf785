import { spawn, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { freePort } from '../../../../test/support/server.ts'

export const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0
if (!hasPrometheus) console.log('Tests against a real Prometheus are skipped: apt-get install prometheus')

export interface PrometheusServer {
  readonly url: string
  stop(): Promise<void>
}

/**
 * Starts Prometheus in a new folder with these files, by path; `config` is the configuration file. Prometheus ends
 * with the test at the latest. `history` is its existing data in OpenMetrics format with timestamps.
 */
export async function startPrometheus(
  files: Record<string, string>,
  config: string,
  history?: string,
): Promise<PrometheusServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-prometheus-'))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  if (history !== undefined) {
    await writeFile(join(folder, 'history'), history)
    const made = spawnSync('promtool', [
      'tsdb',
      'create-blocks-from',
      'openmetrics',
      join(folder, 'history'),
      join(folder, 'data'),
    ])
    if (made.status !== 0) throw new Error(`promtool: ${made.stderr.toString()}`)
  }
  const url = `http://127.0.0.1:${await freePort()}`
  const flags = [`--config.file=${join(folder, config)}`, `--storage.tsdb.path=${join(folder, 'data')}`]
  const child = spawn('prometheus', [...flags, `--web.listen-address=${new URL(url).host}`], { stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  onTestFinished(stop)
  for (let attempt = 0; ; attempt++) {
    const ready = await fetch(`${url}/-/ready`).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) break
    if (attempt === 100 || child.exitCode !== null) throw new Error('Prometheus did not start')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return { url, stop }
}
