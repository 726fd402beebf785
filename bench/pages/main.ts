import { writeFile } from 'node:fs/promises'
import { chromium, type BrowserContext, type Page } from '@playwright/test'
import { agentUrl } from '../../demo/start/environment.ts'
import { runProgram } from '../../demo/start/runProgram.ts'
import { findBrowser } from '../../test/grafana/findBrowser.ts'
import { markdownTable } from '../format.ts'
import { startTestbed, turnFlagOn, type Testbed } from '../mttr/testbed.ts'
import { median } from '../statistics.ts'
import { measureEntrySize } from './entrySize.ts'
import { HELP, parseOptions, type PagesOptions } from './options.ts'
import { countAgentRequests, countHiddenRequests } from './pageRequests.ts'
import { startOperation } from '../startOperation.ts'
import { findAgentProcess, measureCpu, startViewers } from './viewers.ts'
import { measureClick } from './warmClick.ts'

const MAX_ENTRY_BYTES = 60_000
const MAX_CLICK_SECONDS = 1.5
const MAX_CPU_RATIO = 0.05
/** Three polls of a page at rest. */
const COUNT_SECONDS = 32
const STATUS_INTERVAL_SECONDS = 60
const ROWS = 20_000

const LIST_PAGE = '/a/sti-rollout-app/rollouts'
const ROLLOUT_PATH = '/a/sti-rollout-app/rollouts/staging/vehicles'
const TABS = ['', '/validation', '/readiness', '/incidents', '/operations', '/column-drop']

interface Figure {
  readonly name: string
  readonly value: string
  readonly limit: string
  readonly met: boolean
}

/** Measures the pages and returns exit code 1 if a goal was missed. */
async function main(options: PagesOptions): Promise<number> {
  const executablePath = await findBrowser()
  if (executablePath === null) throw new Error('Chromium is missing. Install it, or set STI_TEST_BROWSER.')
  const testbed = await startTestbed({ path: 'alert', rows: ROWS, percentage: 100 })
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  try {
    const { grafana } = testbed
    if (grafana === null) throw new Error('Grafana is missing.')
    await turnFlagOn(testbed)
    const context = await browser.newContext({ baseURL: grafana.url, viewport: { width: 1440, height: 900 } })
    const page = await context.newPage()
    await page.request.post('/login', { data: { user: 'admin', password: grafana.password } })
    const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
    const figures = [
      await entryFigure(),
      await clickFigure(page, options.clicks),
      ...(await requestFigures(context)),
      ...(await viewerFigures(testbed, page, { url: grafana.url, cookie }, options)),
    ]
    process.stdout.write(
      `\n${markdownTable(
        ['figure', 'measured', 'goal', 'met'],
        figures.map(({ name, value, limit, met }) => [name, value, limit, met ? 'yes' : 'no']),
      )}\n`,
    )
    if (options.json) await writeFile(options.json, `${JSON.stringify(figures, null, 2)}\n`)
    return figures.every(({ met }) => met) ? 0 : 1
  } finally {
    await browser.close()
    await testbed.stop()
  }
}

async function entryFigure(): Promise<Figure> {
  const bytes = await measureEntrySize()
  return {
    name: 'entry of the app, compressed',
    value: `${(bytes / 1000).toFixed(1)} kB`,
    limit: 'less than 60 kB',
    met: bytes < MAX_ENTRY_BYTES,
  }
}

async function clickFigure(page: Page, clicks: number): Promise<Figure> {
  // The first click loads the files.
  await measureClick(page, LIST_PAGE, ROLLOUT_PATH)
  const times: number[] = []
  while (times.length < clicks) times.push(await measureClick(page, LIST_PAGE, ROLLOUT_PATH))
  const worst = Math.max(...times)
  return {
    name: 'overview usable after a click',
    value: `${median(times).toFixed(2)} s (worst ${worst.toFixed(2)} s of ${clicks})`,
    limit: 'at most 1.5 s',
    met: worst <= MAX_CLICK_SECONDS,
  }
}

/** Every tab of a rollout at the same time, each as a page of its own, and one page that is hidden. */
async function requestFigures(context: BrowserContext): Promise<Figure[]> {
  const openPage = async (tab: string): Promise<Page> => {
    const page = await context.newPage()
    await openTab(page, tab)
    return page
  }
  const pages: Page[] = []
  for (const tab of [...TABS, '']) pages.push(await openPage(tab))
  const hiddenPage = pages.pop()!
  const [hidden, ...counts] = await Promise.all([
    countHiddenRequests(hiddenPage, COUNT_SECONDS),
    ...pages.map((page) => countAgentRequests(page, COUNT_SECONDS)),
  ])
  await Promise.all([...pages, hiddenPage].map((page) => page.close()))
  return [
    ...counts.map(({ polls, requests }, index) => ({
      name: `requests to the agent, ${TABS[index]?.slice(1) || 'overview'}`,
      value: `${requests} in ${polls} polls`,
      limit: 'one per poll',
      met: polls > 0 && requests === polls,
    })),
    { name: 'requests of a hidden page', value: String(hidden), limit: 'none', met: hidden === 0 },
  ]
}

/** The agent's CPU time for many viewers of the overview, who send what the page in the browser sends. */
async function viewerFigures(
  testbed: Testbed,
  page: Page,
  session: { url: string; cookie: string },
  { viewers, seconds }: PagesOptions,
): Promise<Figure[]> {
  const figures: Figure[] = []
  const agent = await findAgentProcess(Number(new URL(agentUrl(testbed.staging)).port))
  const durationSeconds = COUNT_SECONDS + 2 * seconds + 30
  for (const { name, start } of [
    { name: 'at rest', start: () => Promise.resolve(null) },
    // While an operation is running, the pages poll more often.
    {
      name: 'while an operation is running',
      start: () => startOperation(testbed.staging, 'baseline', { live: true, durationSeconds }),
    },
  ]) {
    await start()
    await openTab(page, '')
    const { repeated } = await countAgentRequests(page, COUNT_SECONDS)
    await page.goto('about:blank')
    if (repeated.length === 0) throw new Error('The overview sends no request that it repeats.')
    const without = await measureCpu(agent, seconds)
    const status = repeated[0]!.path.replace(/\/v1\/.*/, '/v1/agent')
    const requests = [...repeated, { path: status, intervalSeconds: STATUS_INTERVAL_SECONDS }]
    const running = startViewers(session, viewers, requests)
    const withViewers = await measureCpu(agent, seconds)
    const answered = await running.stop()
    const cost = withViewers - without
    figures.push({
      name: `CPU of the agent for ${viewers} viewers, ${name}`,
      value: `${(cost * 100).toFixed(1)}% of a core (${(answered / seconds).toFixed(1)} requests/s)`,
      limit: 'less than 5%',
      met: cost < MAX_CPU_RATIO,
    })
  }
  return figures
}

/** Opens a tab of the rollout and waits until it has its first answer. */
async function openTab(page: Page, tab: string): Promise<void> {
  await page.goto(`${ROLLOUT_PATH}${tab}`)
  await page.getByRole('toolbar', { name: /^Rollback of vehicles/ }).waitFor()
}

await runProgram(parseOptions(process.argv.slice(2)), { help: HELP, failure: 'The measurement failed: ', main })
