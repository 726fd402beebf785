import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { findGrafana } from '../../demo/start/grafana.ts'
import { findBrowser } from './findBrowser.ts'
import { startDemo } from './demoProcess.ts'

/**
 * Runs the tests in a real Grafana, with the built plugin and real agents: tsx test/grafana/main.ts [report.json]
 * With STI_TEST_GRAFANA_URL (and STI_TEST_GRAFANA_USER and STI_TEST_GRAFANA_PASSWORD of an admin) it uses that Grafana,
 * which needs a fresh demo behind it; STI_TEST_DATABASE_URL_FILE is the demo's file `database-url` (default: that in .demo). Otherwise it starts the demo with the installed Grafana. Without a Grafana or a
 * browser it prints one line and succeeds.
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
  if (url)
    return playwright({
      url,
      user: user ?? 'admin',
      password: password ?? 'admin',
      browser,
      databaseUrlFile: resolve(process.env.STI_TEST_DATABASE_URL_FILE ?? '.demo/database-url'),
    })
  if ((await findGrafana(async () => 0)) === null) {
    return skipTests('no Grafana is installed, and STI_TEST_GRAFANA_URL is not set')
  }
  const demo = await startDemo(join(scratch, 'demo'))
  try {
    const secret = await readFile(demo.passwordFile, 'utf8')
    return await playwright({
      url: demo.grafanaUrl,
      user: 'admin',
      password: secret.trim(),
      browser,
      databaseUrlFile: demo.databaseUrlFile,
    })
  } finally {
    await demo.stop()
  }
}

interface GrafanaTarget {
  readonly url: string
  readonly user: string
  readonly password: string
  readonly browser: string
  readonly databaseUrlFile: string
}

/** Runs the tests and returns the exit code; the sessions of the users are in the scratch folder. */
function playwright({ url, user, password, browser, databaseUrlFile }: GrafanaTarget): Promise<number> {
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
      STI_TEST_DATABASE_URL_FILE: databaseUrlFile,
      ...(report ? { PLAYWRIGHT_JSON_OUTPUT_FILE: report } : {}),
    },
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}

function skipTests(reason: string): number {
  process.stdout.write(`Grafana tests: skipped, ${reason}\n`)
  return 0
}
