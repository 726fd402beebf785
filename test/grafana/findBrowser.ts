import { findOnPath } from '../../demo/start/findOnPath.ts'

/** The path of the browser: STI_TEST_BROWSER, or a Chromium or Chrome on the PATH; null if there is none. */
export async function findBrowser(): Promise<string | null> {
  if (process.env.STI_TEST_BROWSER) return process.env.STI_TEST_BROWSER
  for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) {
    const path = await findOnPath(name)
    if (path) return path
  }
  return null
}
