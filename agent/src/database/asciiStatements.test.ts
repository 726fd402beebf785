import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

const SOURCES = new URL('../', import.meta.url).pathname

const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length

/** The parts of a file that are sent to PostgreSQL as they stand: tagged templates and the texts of `unsafe`. */
function findStatements(path: string, text: string): string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const statements: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isTaggedTemplateExpression(node)) statements.push(node.template.getText())
    if (ts.isCallExpression(node) && /\.unsafe$/.test(node.expression.getText())) statements.push(node.getText())
    ts.forEachChild(node, visit)
  }
  visit(source)
  return statements
}

test('statements and the schema consist of ASCII characters, so that a database of any encoding takes them', async () => {
  const files = (await readdir(SOURCES, { recursive: true })).filter(
    (file) => /\.(ts|sql)$/.test(file) && !file.endsWith('.test.ts'),
  )
  const wrong: string[] = []
  let count = 0
  for (const file of files) {
    const text = await readFile(join(SOURCES, file), 'utf8')
    const statements = file.endsWith('.sql') ? [text] : findStatements(file, text)
    count += statements.length
    wrong.push(...statements.filter((statement) => !isAscii(statement)).map((statement) => `${file}: ${statement}`))
  }
  expect(wrong).toEqual([])
  expect(count).toBeGreaterThan(300)
})
