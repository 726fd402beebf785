import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const openssl = async (...argv: string[]): Promise<void> => void (await promisify(execFile)('openssl', argv))

/** A certificate authority in this folder, made with openssl. */
export interface CertificateAuthority {
  readonly certificate: string
  /** Makes a key and a certificate for this common name; `alternatives` as openssl writes them, such as DNS:localhost. */
  issue(commonName: string, alternatives?: string): Promise<{ certificate: string; key: string }>
}

export async function createAuthority(folder: string, name: string): Promise<CertificateAuthority> {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)]
  await openssl(
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    '-subj',
    `/CN=${name}`,
    '-keyout',
    key,
    '-out',
    certificate,
  )
  return {
    certificate,
    async issue(commonName, alternatives) {
      const path = join(folder, `${name}-${commonName}`)
      await openssl(
        ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        '-subj',
        `/CN=${commonName}`,
        '-keyout',
        `${path}.key`,
        '-out',
        `${path}.csr`,
      )
      await writeFile(`${path}.ext`, alternatives === undefined ? '' : `subjectAltName=${alternatives}\n`)
      await openssl(
        ...['x509', '-req', '-days', '2', '-in', `${path}.csr`, '-CA', certificate, '-CAkey', key, '-CAcreateserial'],
        '-extfile',
        `${path}.ext`,
        '-out',
        `${path}.crt`,
      )
      return { certificate: `${path}.crt`, key: `${path}.key` }
    },
  }
}
