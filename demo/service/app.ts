import { Hono } from 'hono'
import type { Context } from 'hono'
import { flagOverride, type FlagEvaluation } from './flag.ts'
import { requestMetrics, type RequestVariables } from './metrics.ts'
import { isVehicleKind, VEHICLE_KINDS, type VehicleInput } from './vehicle.ts'
import type { TypeSource, vehicleStore } from './vehicleStore.ts'

export interface AppDependencies {
  readonly vehicles: ReturnType<typeof vehicleStore>
  readonly flag: (user: string) => Promise<FlagEvaluation>
  readonly flagToken: string
}

/** The routes of the service. A request uses `type` if the flag is on for its user, and the legacy columns if not. */
export function buildApp({ vehicles, flag, flagToken }: AppDependencies): Hono<RequestVariables> {
  const metrics = requestMetrics()
  const app = new Hono<RequestVariables>()

  async function chooseTypeSource(context: Context<RequestVariables>): Promise<TypeSource> {
    const forced = flagOverride((name) => context.req.header(name), flagToken)
    const { on, variant } =
      forced === null
        ? await flag(context.req.header('x-user') ?? 'anonymous')
        : ({ on: forced, variant: forced ? 'on' : 'off' } as const)
    const by = on ? 'type' : 'legacy'
    // Without a variant the request waited for the agent in vain, and is no measure of old code.
    if (variant !== undefined) context.set('variant', variant)
    context.header('x-type-source', by)
    // Confirms the override. A validation that compares both responses accepts no response without it.
    if (forced !== null) context.header('x-sti-flag', forced ? 'on' : 'off')
    return by
  }

  app.get('/healthz', async (context) => {
    await vehicles.ping()
    return context.text('ok')
  })
  app.get('/metrics', async (context) =>
    context.text(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType }),
  )

  app.use('/vehicles/*', metrics.measure)
  app.get('/vehicles', async (context) => {
    const kind = context.req.query('kind')
    if (!isVehicleKind(kind)) return context.json({ error: `kind must be one of ${VEHICLE_KINDS.join(', ')}` }, 400)
    const after = wholeNumber(context.req.query('after') ?? '0')
    const limit = wholeNumber(context.req.query('limit') ?? '20')
    if (after === null || limit === null || limit > 100) {
      return context.json({ error: 'after must be an id and limit a number up to 100' }, 400)
    }
    return context.json({ vehicles: await vehicles.list(kind, after, limit, await chooseTypeSource(context)) })
  })
  app.get('/vehicles/:id', async (context) => {
    const id = wholeNumber(context.req.param('id'))
    const vehicle = id === null ? null : await vehicles.find(id, await chooseTypeSource(context))
    return vehicle ? context.json(vehicle) : context.json({ error: 'vehicle not found' }, 404)
  })
  app.post('/vehicles', async (context) => {
    const input = parseInput(await context.req.json().catch(() => null))
    if (!input) return context.json({ error: 'the body must be a vehicle' }, 422)
    return context.json(await vehicles.create(input, await chooseTypeSource(context)), 201)
  })
  app.put('/vehicles/:id', async (context) => {
    const id = wholeNumber(context.req.param('id'))
    const input = parseInput(await context.req.json().catch(() => null))
    if (!input) return context.json({ error: 'the body must be a vehicle' }, 422)
    const vehicle = id === null ? null : await vehicles.update(id, input, await chooseTypeSource(context))
    return vehicle ? context.json(vehicle) : context.json({ error: 'vehicle not found' }, 404)
  })
  app.delete('/vehicles/:id', async (context) => {
    const id = wholeNumber(context.req.param('id'))
    if (id === null || !(await vehicles.remove(id))) return context.json({ error: 'vehicle not found' }, 404)
    return context.body(null, 204)
  })

  app.notFound((context) => context.json({ error: 'path not found' }, 404))
  app.onError((error, context) => {
    process.stderr.write(`${context.req.method} ${context.req.path}: ${error.message}\n`)
    return context.json({ error: 'internal error: see the log of the service' }, 500)
  })
  return app
}

const wholeNumber = (text: string): number | null => (/^\d{1,15}$/.test(text) ? Number(text) : null)

function parseInput(body: unknown): VehicleInput | null {
  if (typeof body !== 'object' || body === null) return null
  const { vin, name, isTruck, isBike, axles, ownerEmail, price } = body as Record<string, unknown>
  const isValid =
    [vin, name, ownerEmail].every((text) => typeof text === 'string' && text.length > 0 && text.length <= 200) &&
    [isTruck, isBike].every((value) => typeof value === 'boolean') &&
    [axles, price].every((value) => typeof value === 'number' && Number.isFinite(value))
  return isValid ? ({ vin, name, isTruck, isBike, axles, ownerEmail, price } as VehicleInput) : null
}
