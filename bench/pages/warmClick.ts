import type { Page } from '@playwright/test'

/**
 * Opens the list of rollouts and measures in the browser how many seconds pass from the click on a rollout until its
 * overview is usable: its steps, its vital signs, and the buttons of the header and of the next step. The browser has loaded
 * the app's files before.
 */
export async function measureClick(page: Page, listPage: string, rolloutPath: string): Promise<number> {
  await page.goto(listPage)
  await page.locator(`main a[href$="${rolloutPath}"]`).first().waitFor()
  return page.evaluate(
    (path) =>
      new Promise<number>((resolve, reject) => {
        const startedAt = performance.now()
        const isUsable = (): boolean =>
          document.querySelectorAll('[aria-label="Steps of the rollout"] li').length === 8 &&
          document.querySelector('[aria-label="Vital signs"] dd') !== null &&
          document.querySelector('[aria-label="Next step"] button') !== null &&
          document.querySelector('[role="toolbar"][aria-label^="Rollback of"] button') !== null
        const check = (): void => {
          const seconds = (performance.now() - startedAt) / 1000
          if (isUsable()) resolve(seconds)
          else if (seconds > 30) reject(new Error('The overview was not usable within 30 s.'))
          else requestAnimationFrame(check)
        }
        document.querySelector<HTMLAnchorElement>(`main a[href$="${path}"]`)?.click()
        requestAnimationFrame(check)
      }),
    rolloutPath,
  )
}
