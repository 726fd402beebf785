#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { URL } from 'node:url'

// A checkout runs from source. An installed package or a container image only has dist/.
if (existsSync(new URL('../src/cli/main.ts', import.meta.url))) {
  const { register } = await import('tsx/esm/api')
  register()
  await import('../src/cli/main.ts')
} else {
  await import('../dist/cli/main.js')
}
