import { existsSync } from 'node:fs'
import { URL } from 'node:url'

// A checkout runs from its source; what was installed or built for a container has dist/ alone.
if (existsSync(new URL('../src/evidence/reportWorker.ts', import.meta.url))) {
  const { register } = await import('tsx/esm/api')
  register()
  await import('../src/evidence/reportWorker.ts')
} else {
  await import('../dist/evidence/reportWorker.js')
}
