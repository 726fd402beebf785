import { NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser'
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const WORKFLOWS_FOLDER = new URL('../.github/workflows/', import.meta.url)

test('GitHub accepts every workflow file', async () => {
  const names = await readdir(WORKFLOWS_FOLDER)
  expect(names).toContain('ci.yml')
  for (const name of names) {
    const content = await readFile(new URL(name, WORKFLOWS_FOLDER), 'utf8')
    const { context } = parseWorkflow({ name, content }, new NoOperationTraceWriter())
    expect([name, context.errors.getErrors().map((error) => error.message)]).toEqual([name, []])
  }
})

test('the parser refuses a workflow that GitHub refuses', () => {
  const { context } = parseWorkflow(
    { name: 'x.yml', content: 'on: push\njobs: { a: { steps: [] } }' },
    new NoOperationTraceWriter(),
  )
  expect(context.errors.getErrors()).not.toEqual([])
})
