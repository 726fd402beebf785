import { findOnPath } from '../../demo/start/findOnPath.ts'

/** The browser of the tests: STI_TEST_BROWSER, or a Chromium or Chrome on the PATH. */
export async function findBrowser(): Promise<string | null> {
  if (process.env.STI_TEST_BROWSER) return process.env.STI_TEST_BROWSER
  for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) {
    const found = await findOnPath(name)
    if (found) return found
  }
  return null
}
