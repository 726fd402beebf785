#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { URL } from 'node:url'

// A checkout runs from its source; what was installed or built for a container has dist/ alone.
if (existsSync(new URL('../src/cli/main.ts', import.meta.url))) {
  const { register } = await import('tsx/esm/api')
  register()
  await import('../src/cli/main.ts')
} else {
  await import('../dist/cli/main.js')
}
