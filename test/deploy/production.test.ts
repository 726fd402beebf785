import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { findOnPath } from '../../demo/start/findOnPath.ts'
import { buildPlugin, findGrafana } from '../../demo/start/grafana.ts'
import { PG_DUMP_PATH, readTableSchema } from '../column-drop/schemaDump.ts'
import { withDedicatedServer } from '../support/database.ts'
import { freePort } from '../support/server.ts'
import { waitFor } from '../support/waitFor.ts'

/**
 * Runs docs/production.md, every command in its order, in a folder that stands in for the file system, with a package and
 * a plugin that were packed before, and then removes everything with the commands of docs/operations.md. systemd and the
 * users are the only parts that are not real: a script starts what the unit says.
 */
const ROOT = new URL('../../', import.meta.url).pathname
const PASSWORD = 'a-password-of-the-test'

const grafana = await findGrafana(async () => 0)
const programs = await Promise.all(
  ['prometheus', 'prometheus-alertmanager', 'promtool', 'psql', 'openssl', 'curl'].map(findOnPath),
)
const canRun = grafana !== null && programs.every((program) => program !== null)
if (!canRun)
  console.log('docs/production.md is not run: it needs Grafana, Prometheus, Alertmanager, psql, openssl and curl')

interface Step {
  readonly title: string
  readonly script: string
}

/** The sections of a page with their commands, one script per block. */
async function readSections(path: string): Promise<{ title: string; scripts: string[] }[]> {
  const page = await readFile(join(ROOT, path), 'utf8')
  return page
    .split(/^## /m)
    .slice(1)
    .map((section) => ({
      title: section.split('\n')[0]!,
      scripts: [...section.matchAll(/^( *)```sh\n([\s\S]*?)^ *```$/gm)].map(([, indent, block]) =>
        block!.replaceAll(new RegExp(`^${indent!}`, 'gm'), ''),
      ),
    }))
}

async function readSteps(): Promise<Step[]> {
  const sections = await readSections('docs/production.md')
  return sections
    .filter(({ title }) => /^\d+\. /.test(title))
    .map(({ title, scripts }) => ({ title, script: scripts.join('\n') }))
}

async function readScripts(path: string, title: string, count: number): Promise<string[]> {
  const scripts = (await readSections(path)).find((section) => section.title === title)?.scripts
  expect([title, scripts?.length]).toEqual([title, count])
  return scripts!
}

/** What stands in for systemd: starts the command of a unit, and says when it is ready. */
const systemctl = (root: string, grafanaUrl: string): string => `#!/bin/bash
set -eu
start() { name="$1"; shift; nohup "$@" > "${root}/$name.log" 2>&1 & echo $! > "${root}/$name.pid"; }
stop() {
  if [ -e "${root}/$1.pid" ]; then kill "$(cat "${root}/$1.pid")"; tail --pid="$(cat "${root}/$1.pid")" -f /dev/null; rm "${root}/$1.pid"; fi
}
case "$*" in
  'enable --now sti-agent' | 'restart sti-agent')
    stop agent
    unit="${root}/etc/systemd/system/sti-agent.service"
    set -a; . "$(sed -n 's/^EnvironmentFile=//p' "$unit")"; set +a
    start agent $(sed -n 's/^ExecStart=//p' "$unit") ;;
  'disable --now sti-agent') stop agent ;;
  'restart grafana-server')
    stop grafana
    start grafana '${grafana?.file}' server --homepath='${grafana?.home}'
    curl --silent --fail --retry 120 --retry-all-errors --retry-delay 1 --output /dev/null ${grafanaUrl}/api/health ;;
  *) echo "unexpected: systemctl $*" >&2; exit 1 ;;
esac
`

// It is built already in a run of all tests.
beforeAll(async () => void (canRun && (await buildPlugin(ROOT))), 300_000)

test.skipIf(!canRun)(
  'docs/production.md leads to a first validation, and the removal leaves nothing behind',
  async () => {
    await withDedicatedServer(async ({ url, sql }) => {
      await sql.unsafe(`
        create role app_owner; grant all on schema public to app_owner; set role app_owner;
        create table public.invoices (id bigint generated always as identity primary key, paid boolean not null,
          cancelled boolean not null, amount numeric not null);
        insert into public.invoices (paid, cancelled, amount) select n % 3 = 0, n % 3 = 1, n from generate_series(1, 3000) n;
        reset role; analyze public.invoices`)
      const machine = await createMachine(url)
      const readDatabase = async (): Promise<unknown> => [
        dump(url),
        await readTableSchema(sql, 'public.invoices'),
        await sql`select nspname, nspacl::text from pg_namespace where nspname !~ '^pg_' order by 1`,
        await sql`select * from invoices order by id`,
      ]
      let before: unknown = null
      const steps = await readSteps()
      expect(steps.map(({ title }) => title)).toHaveLength(11)
      for (const { title, script } of steps) {
        // The extension is the only thing that the page adds and the removal keeps.
        if (title.startsWith('2.')) {
          await sql`create extension pg_stat_statements`
          before = await readDatabase()
        }
        const { code, output } = await machine.run(script)
        expect([title, code, code === 0 ? '' : output]).toEqual([title, 0, ''])
        if (title.startsWith('9.')) await checkSecrets(join(machine.folder, 'etc'))
        if (title.startsWith('1.')) await machine.translateDeployFiles()
        if (title.startsWith('11.')) expect(output).toContain('coverage 100% of 3,000 rows')
      }

      await waitFor(
        'readiness sees the dashboard',
        async () => /its dashboard has all \d+ panels/.test((await machine.run('sti readiness')).output),
        { seconds: 45, intervalMs: 1_000 },
      )
      // Without Grafana: what would keep alerts from Alertmanager is found, and each command repairs a part of it.
      const [generate, load, check] = await readScripts('docs/production.md', 'Without Grafana', 3)
      await machine.require(generate!)
      await machine.startAlertmanager()
      const unloaded = await machine.run(check!)
      expect(unloaded).toMatchObject({
        code: 1,
        output: expect.stringMatching(
          /Prometheus has not loaded \d+ of \d+ rules[\s\S]*Prometheus sends alerts to no Alertmanager/,
        ) as string,
      })
      await machine.require(load!)
      await waitFor('Prometheus knows Alertmanager', async () => (await machine.run(check!)).code === 0)
      const [uninstall, ...removal] = await readScripts('docs/operations.md', 'Uninstall', 4)

      // The removal, step by step, each with what is left and the exit code.
      const left = async (step: string): Promise<void> => {
        const { code, output } = await machine.run(uninstall!)
        expect([code, output]).toEqual([5, expect.stringContaining(`${step} left: `)])
      }
      await left('alerting    ')
      await machine.require(removal[0]!)
      await left('alerting    ')
      await machine.require(`
        rm /etc/prometheus/*.rules.yml
        curl --silent --fail --request POST http://prometheus.example.com:9090/-/reload`)
      await left('agents      ')
      expect(await readdir(join(machine.folder, 'sti-export-production'))).toEqual([
        'invoices-operations.json',
        'invoices-report.json',
      ])
      await machine.require(removal[1]!)
      await left('servers     ')
      expect(await sql`select from pg_namespace where nspname = 'sti'`).toHaveLength(0)
      await machine.require(removal[2]!)
      expect(await machine.run(uninstall!)).toMatchObject({
        code: 0,
        output: expect.stringContaining('Nothing of STI is left in what was checked.') as string,
      })
      const firing = await machine.require(
        'curl --silent --fail https://admin:admin@grafana.example.com/api/alertmanager/grafana/api/v2/alerts',
      )
      expect(firing).not.toMatch(/"alertname":"Sti/)
      await sql.unsafe('revoke app_owner from sti_agent; drop owned by sti_agent; drop role sti_agent')
      expect(await readDatabase()).toEqual(before)
    })
  },
  600_000,
)

/** Grafana's group may read the secrets that its provisioning names, and no other. */
async function checkSecrets(etc: string): Promise<void> {
  const provisioning = join(etc, 'grafana/provisioning')
  const texts = await Promise.all(
    (await readdir(provisioning, { recursive: true }))
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => readFile(join(provisioning, name), 'utf8')),
  )
  const named = new Set([...texts.join('\n').matchAll(/\$__file\{([^}]+)\}/g)].map(([, path]) => path!))
  const modes = new Map<string, string>()
  for (const name of await readdir(join(etc, 'sti/secrets'))) {
    const path = join(etc, 'sti/secrets', name)
    modes.set(path, ((await stat(path)).mode & 0o777).toString(8))
  }
  expect([...named].sort()).toEqual([...modes.keys()].filter((path) => modes.get(path) === '440').sort())
  expect([...new Set(modes.values())].sort()).toEqual(['400', '440', '600'])
  expect((await stat(join(etc, 'sti/secrets'))).mode & 0o777).toBe(0o710)
}

/** Null: there is no pg_dump for this server, and catalog queries compare the database alone. */
function dump(url: string): string | null {
  if (PG_DUMP_PATH === null) return null
  const { status, stdout, stderr } = spawnSync(PG_DUMP_PATH, [url], { encoding: 'utf8', maxBuffer: 1e8 })
  if (status !== 0) throw new Error(stderr)
  // Random tokens of psql, in newer versions of pg_dump.
  return stdout.replaceAll(/^\\(?:un)?restrict .*$/gm, '')
}

interface Machine {
  readonly folder: string
  /** Runs a script of the page; standard output and standard error together. */
  run(script: string): Promise<{ code: number; output: string }>
  /** Runs a script that must succeed. */
  require(script: string): Promise<string>
  /** Starts Alertmanager with the configuration that a command has written. */
  startAlertmanager(): Promise<void>
  /** Names the places of the folder in the files that the package has for an installation. */
  translateDeployFiles(): Promise<void>
}

/** A folder with the files of a release, in which Prometheus runs, and which ends with the test. */
async function createMachine(url: string): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-machine-'))
  const [agentPort, prometheusPort, grafanaPort] = [await freePort(), await freePort(), await freePort()]
  const alertmanagerPort = await freePort()
  const grafanaAddress = `127.0.0.1:${grafanaPort}`
  for (const path of [
    'bin',
    'home',
    'npm',
    'etc/systemd/system',
    'etc/prometheus',
    'var/lib/grafana/plugins',
    ...['plugins', 'datasources', 'dashboards', 'alerting'].map((name) => `etc/grafana/provisioning/${name}`),
  ])
    await mkdir(join(folder, path), { recursive: true })
  await writeProgram(join(folder, 'bin/systemctl'), systemctl(folder, `http://${grafanaAddress}`))
  await writeProgram(
    join(folder, 'bin/grafana'),
    `#!/bin/bash\nexec '${grafana!.file}' "$1" --homepath '${grafana!.home}' "\${@:2}"\n`,
  )
  for (const name of ['useradd', 'chown']) await writeProgram(join(folder, 'bin', name), '#!/bin/bash\n')
  packRelease(folder)

  const env = {
    PATH: `${folder}/bin:${folder}/npm/bin:${process.env['PATH']}`,
    HOME: join(folder, 'home'),
    npm_config_prefix: join(folder, 'npm'),
    // Packages come from where those of this machine come from.
    npm_config_cache: readNpmSetting('cache'),
    npm_config_userconfig: readNpmSetting('userconfig'),
    ...(process.env['NODE_EXTRA_CA_CERTS'] && { NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'] }),
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    ADMIN_URL: url,
    AGENT_URL: url.replace(/\/\/[^@]*@/, `//sti_agent:${PASSWORD}@`),
    AGENT_PASSWORD: PASSWORD,
    STI_PORT: String(agentPort),
    STI_SPOOL_FOLDER: join(folder, 'spool'),
    GF_PLUGIN_DIR: join(folder, 'var/lib/grafana/plugins'),
    GF_PATHS_PLUGINS: join(folder, 'var/lib/grafana/plugins'),
    GF_PATHS_DATA: join(folder, 'var/lib/grafana'),
    GF_PATHS_LOGS: join(folder, 'var/lib/grafana/log'),
    GF_PATHS_PROVISIONING: join(folder, 'etc/grafana/provisioning'),
    GF_SERVER_HTTP_ADDR: '127.0.0.1',
    GF_SERVER_HTTP_PORT: String(grafanaPort),
    GF_SERVER_ROOT_URL: `http://${grafanaAddress}/`,
    GF_SECURITY_ADMIN_PASSWORD: 'admin',
    GF_ANALYTICS_REPORTING_ENABLED: 'false',
    GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
    GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
    GF_PLUGINS_PREINSTALL_DISABLED: 'true',
    GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS: 'sti-rollout-app,sti-rollout-datasource,sti-rollout-panel',
  }
  await writeFile(join(folder, 'etc/prometheus/prometheus.yml'), 'scrape_configs:\n')
  await writeFile(
    join(folder, 'etc/prometheus/alertmanager.yml'),
    "route: { receiver: us }\nreceivers: [{ name: us, webhook_configs: [{ url: 'http://127.0.0.1:1' }] }]\n",
  )
  const options = [`--config.file=${folder}/etc/prometheus/prometheus.yml`, `--storage.tsdb.path=${folder}/prometheus`]
  const prometheus = spawn(
    'prometheus',
    [...options, `--web.listen-address=127.0.0.1:${prometheusPort}`, '--web.enable-lifecycle'],
    { stdio: 'ignore' },
  )
  const ended = once(prometheus, 'exit')

  // Names and places of the page, as they are here.
  const translate = (script: string): string =>
    script
      .replaceAll(/https:\/\/((?:admin:admin@)?)grafana\.example\.com/g, `http://$1${grafanaAddress}`)
      .replaceAll('prometheus.example.com:9090', `127.0.0.1:${prometheusPort}`)
      .replaceAll('alertmanager.example.com:9093', `127.0.0.1:${alertmanagerPort}`)
      .replaceAll('127.0.0.1:8090', `127.0.0.1:${agentPort}`)
      .replaceAll(/(?<![\w.])\/(etc|var\/lib)\//g, `${folder}/$1/`)
  const run: Machine['run'] = async (script) => {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', translate(script)], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => (output += part))
    const [code] = (await once(child, 'exit')) as [number]
    return { code, output }
  }
  const requireDone: Machine['require'] = async (script) => {
    const { code, output } = await run(script)
    expect([code, output]).toEqual([0, output])
    return output
  }
  onTestFinished(async () => {
    for (const name of ['agent', 'grafana', 'alertmanager']) {
      const pid = await readFile(join(folder, `${name}.pid`), 'utf8').catch(() => null)
      if (pid !== null && spawnSync('kill', ['-9', pid.trim()]).status !== 0) console.log(`${name} had already ended`)
    }
    prometheus.kill('SIGKILL')
    await ended
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  return {
    folder,
    run,
    require: requireDone,
    async startAlertmanager() {
      await requireDone(`
        nohup prometheus-alertmanager --config.file=/etc/prometheus/alertmanager-sti.yml --storage.path=${folder} \
          --cluster.listen-address= --web.listen-address=alertmanager.example.com:9093 > ${folder}/alertmanager.log 2>&1 &
        echo $! > ${folder}/alertmanager.pid
        curl --silent --fail --retry 60 --retry-all-errors --retry-delay 1 http://alertmanager.example.com:9093/-/ready`)
    },
    async translateDeployFiles() {
      const deploy = join(folder, 'npm/lib/node_modules/@sti-rollout/agent/dist/deploy')
      for (const name of ['agent.env', 'sti-agent.service']) {
        const path = join(deploy, name)
        await writeFile(path, translate(await readFile(path, 'utf8')))
      }
    },
  }
}

async function writeProgram(path: string, text: string): Promise<void> {
  await writeFile(path, text)
  await chmod(path, 0o755)
}

const readNpmSetting = (name: string): string =>
  spawnSync('npm', ['config', 'get', name], { encoding: 'utf8' }).stdout.trim()

/** The two files of a release, as docs/production.md builds them. */
function packRelease(folder: string): void {
  for (const args of [
    ['pack', '-w', 'agent', '--pack-destination', folder],
    ['run', '--silent', 'zip', '-w', 'plugin', '--', folder],
  ]) {
    const { status, stderr } = spawnSync('npm', args, { cwd: ROOT, encoding: 'utf8' })
    if (status !== 0) throw new Error(`npm ${args.join(' ')}: ${stderr}`)
  }
}
