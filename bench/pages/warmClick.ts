import type { Page } from '@playwright/test'

const TIMEOUT_MS = 30_000

/**
 * Opens the list of rollouts and measures in the browser how many seconds pass from the click on a rollout until its
 * overview is usable: its steps, its vital signs, and the buttons of the header and of the next step. The browser has loaded
 * the app's files before.
 * @throws Error if it is not usable within 30 s
 */
export async function measureClick(page: Page, listPage: string, rolloutPath: string): Promise<number> {
  await page.goto(listPage)
  const link = page.locator(`main a[href$="${rolloutPath}"]`).first()
  await link.waitFor()
  const clickedAt = await link.evaluate((element) => {
    const now = performance.now()
    ;(element as HTMLAnchorElement).click()
    return now
  })
  const usableAt = await page.waitForFunction(
    () =>
      document.querySelectorAll('[aria-label="Steps of the rollout"] li').length === 8 &&
      document.querySelector('[aria-label="Vital signs"] dd') !== null &&
      document.querySelector('[aria-label="Next step"] button') !== null &&
      document.querySelector('[role="toolbar"][aria-label^="Rollback of"] button') !== null &&
      performance.now(),
    undefined,
    { polling: 'raf', timeout: TIMEOUT_MS },
  )
  return (Number(await usableAt.jsonValue()) - clickedAt) / 1000
}
