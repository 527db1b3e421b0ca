import { randomUUID } from 'node:crypto'
import { generate } from 'selfsigned'

/** The certificate of a server on this machine and the authority that issued it, in PEM. */
export interface Certificates {
  /** The authority that clients must trust. */
  caCert: string
  cert: string
  key: string
}

/** Makes a new authority, and a certificate of it for `localhost`, 127.0.0.1 and ::1. */
export async function makeCertificates(): Promise<Certificates> {
  // OpenSSL finds an authority by its name, so a client that trusts two of them needs different names.
  const ca = await generate([{ name: 'commonName', value: `centripush simulators ${randomUUID()}` }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  })
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  })
  return { caCert: ca.cert, cert: server.cert, key: server.private }
}
