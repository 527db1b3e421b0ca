import forge from 'node-forge'

/** The certificate of an app in the form in which Apple issues it, and the authority (PEM) that signed it. */
export interface TestClientCertificate {
  /** PKCS #12, protected by `password`. */
  p12: Buffer
  password: string
  caCert: string
}

const DAY_MS = 86_400_000
const RSA_BITS = 2048

/** Makes an authority, and a certificate of it for a bundle id. */
export function makeClientCertificate(bundleId: string, password: string): TestClientCertificate {
  const ca = makeCertificate('a client authority', undefined)
  const client = makeCertificate(`Apple Push Services: ${bundleId}`, ca)
  const asn1 = forge.pkcs12.toPkcs12Asn1(client.privateKey, [client.certificate], password, { algorithm: '3des' })
  const p12 = Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'binary')
  return { p12, password, caCert: forge.pki.certificateToPem(ca.certificate) }
}

interface Issued {
  certificate: forge.pki.Certificate
  privateKey: forge.pki.rsa.PrivateKey
}

/** Makes a certificate, self-signed if there is no issuer. */
function makeCertificate(commonName: string, issuer: Issued | undefined): Issued {
  const { publicKey, privateKey } = forge.pki.rsa.generateKeyPair(RSA_BITS)
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = publicKey
  certificate.serialNumber = issuer ? '02' : '01'
  certificate.validity.notBefore = new Date(Date.now() - DAY_MS)
  certificate.validity.notAfter = new Date(Date.now() + DAY_MS)
  const subject = [{ name: 'commonName', value: commonName }]
  certificate.setSubject(subject)
  certificate.setIssuer(issuer?.certificate.subject.attributes ?? subject)
  certificate.setExtensions([{ name: 'basicConstraints', cA: issuer === undefined }])
  certificate.sign(issuer?.privateKey ?? privateKey, forge.md.sha256.create())
  return { certificate, privateKey }
}
