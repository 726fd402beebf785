import { expect, test } from 'vitest'
import { readdir, readFile } from 'node:fs/promises'

/** Commands without a control in Grafana: they run where the agent runs. */
const ON_THE_HOST = ['sti grafana-token']

test('a hint names what to press in Grafana, not a command, which stands beside it', async () => {
  const folder = new URL('./', import.meta.url)
  const files = (await readdir(folder)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  const texts = await Promise.all(files.map((name) => readFile(new URL(name, folder), 'utf8')))
  const quoted = texts.flatMap((text) =>
    [...text.matchAll(/(['"`])((?:(?!\1)[^\\]|\\.)*)\1/g)].map(([, , value]) => value!),
  )
  const naming = quoted.filter((text) => /\bsti [a-z]/.test(text))
  expect(naming.length).toBeGreaterThan(10)
  // A command is a text of its own: it begins with the program, and has no sentence around it.
  const inSentences = naming.filter((text) => !/^sti [a-z-]/.test(text))
  expect(inSentences.filter((text) => !ON_THE_HOST.some((command) => text.includes(command)))).toEqual([])
})
