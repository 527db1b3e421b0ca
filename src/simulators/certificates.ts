import { randomUUID } from 'node:crypto'
import { generate } from 'selfsigned'

/** A server certificate for this machine and the certificate authority that issued it, in PEM. */
export interface Certificates {
  /** The certificate of the authority, which clients must trust. */
  caCert: string
  cert: string
  key: string
}

/** Makes a new certificate authority, and a server certificate of it for `localhost`, 127.0.0.1 and ::1. */
export async function makeCertificates(): Promise<Certificates> {
  // The name has a random part: OpenSSL finds an authority by its name, so a client can trust two only if their names
  // differ.
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
