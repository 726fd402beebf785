import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

/** Tests in these folders check that no row is lost, duplicated, or wrong. */
const ROW_FOLDERS = ['crash', 'dual-write', 'engine', 'main-job', 'outage', 'prefill', 'rollback']

test.each(ROW_FOLDERS)('no test in test/%s runs a second time after a failure', async (folder) => {
  const url = new URL(`../${folder}/`, import.meta.url)
  const files = (await readdir(url)).filter((name) => name.endsWith('.test.ts'))
  expect(files).not.toEqual([])
  for (const file of files) expect(await readFile(new URL(file, url), 'utf8'), file).not.toMatch(/realTimeTest|retry:/)
})
