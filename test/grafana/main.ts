import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findGrafana } from '../../demo/start/grafana.ts'
import { findBrowser } from './findBrowser.ts'
import { startDemo } from './demoProcess.ts'

/**
 * The tests in a real Grafana, with the built plugin and real agents: tsx test/grafana/main.ts [report.json]
 * Against STI_TEST_GRAFANA_URL (with STI_TEST_GRAFANA_USER and STI_TEST_GRAFANA_PASSWORD of an admin) when it is set:
 * a fresh demo has to be behind it. Else the demo is started with the Grafana that is installed here. Where there is
 * neither, or no browser, it says so in one line and succeeds.
 */
const [report] = process.argv.slice(2)
const scratch = await mkdtemp(join(tmpdir(), 'sti-grafana-'))
try {
  process.exitCode = await main()
} finally {
  await rm(scratch, { recursive: true, force: true })
}

async function main(): Promise<number> {
  const browser = await findBrowser()
  if (browser === null) return skipTests('no Chromium is installed (Debian: apt-get install chromium)')
  const { STI_TEST_GRAFANA_URL: url, STI_TEST_GRAFANA_USER: user, STI_TEST_GRAFANA_PASSWORD: password } = process.env
  if (url) return playwright({ url, user: user ?? 'admin', password: password ?? 'admin', browser })
  if ((await findGrafana(async () => 0)) === null) {
    return skipTests('no Grafana is installed, and STI_TEST_GRAFANA_URL is not set')
  }
  const demo = await startDemo(join(scratch, 'demo'))
  try {
    const secret = await readFile(demo.passwordFile, 'utf8')
    return await playwright({ url: demo.grafanaUrl, user: 'admin', password: secret.trim(), browser })
  } finally {
    await demo.stop()
  }
}

interface GrafanaTarget {
  readonly url: string
  readonly user: string
  readonly password: string
  readonly browser: string
}

/** Runs the tests; the sessions of the users are kept in the scratch folder. */
function playwright({ url, user, password, browser }: GrafanaTarget): Promise<number> {
  const cli = createRequire(import.meta.url).resolve('@playwright/test/cli')
  const child = spawn(process.execPath, [cli, 'test', '--config', join(import.meta.dirname, 'playwright.config.ts')], {
    cwd: scratch,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      STI_TEST_GRAFANA_URL: url,
      STI_TEST_GRAFANA_USER: user,
      STI_TEST_GRAFANA_PASSWORD: password,
      STI_TEST_BROWSER: browser,
      ...(report ? { PLAYWRIGHT_JSON_OUTPUT_FILE: report } : {}),
    },
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}

function skipTests(why: string): number {
  process.stdout.write(`Grafana tests: left out, ${why}\n`)
  return 0
}
