import type { App, ApiDependencies } from '../dependencies.ts'

/** Health endpoints for orchestrators: without authentication, and without internal details. */
export function healthRoutes(app: App, deps: ApiDependencies): void {
  app.get('/livez', (c) => c.json({ alive: true }))
  app.get('/readyz', async (c) => {
    const faults = [...deps.agentFaults(), ...deps.flags.unstoredOffs()]
    const dependencies = await deps.health()
    const database = dependencies.find(({ name }) => name === 'postgresql')
    const ready = faults.length === 0 && database?.healthy === true
    // The agent works without them, so they do not make it unready.
    const warnings = dependencies.filter(({ name, healthy }) => name !== 'postgresql' && !healthy)
    return c.json(
      {
        ready,
        reasons: ready ? [] : [...faults, ...(database?.healthy === false ? [database.detail] : [])],
        warnings: warnings.map(({ detail }) => detail),
      },
      ready ? 200 : 503,
    )
  })
  app.get('/metrics', async (c) =>
    c.text(await deps.metrics(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
  )
}
