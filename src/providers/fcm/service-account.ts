import { createPrivateKey } from 'node:crypto'
import * as v from 'valibot'

/** A Google service account: the project that sends, and the key that authenticates it. */
export interface ServiceAccount {
  projectId: string
  clientEmail: string
  privateKeyPem: string
}

/** A credential for FCM is not valid. The message says why, names the wrong fields and never quotes their values. */
export class FcmCredentialError extends Error {
  override readonly name = 'FcmCredentialError'
}

/** The id of a project. It becomes part of the path of a URL. */
export const ProjectId = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.:-]{0,127}$/i))

// `token_uri` and similar fields are ignored: a crafted file could direct assertions to a host of its author.
const ServiceAccountSchema = v.object({
  type: v.literal('service_account'),
  project_id: ProjectId,
  client_email: v.pipe(v.string(), v.email()),
  private_key: v.pipe(v.string(), v.nonEmpty()),
})

/**
 * Reads the JSON of a service account key, as the Google Cloud console makes it.
 * @param projectId replaces the project of the key
 * @throws FcmCredentialError
 */
export function readServiceAccount(json: object, projectId?: string): ServiceAccount {
  const result = v.safeParse(ServiceAccountSchema, projectId === undefined ? json : { ...json, project_id: projectId })
  if (!result.success) {
    const fields = new Set(result.issues.map((issue) => v.getDotPath(issue) ?? '(root)'))
    const names = [...fields].join(', ')
    throw new FcmCredentialError(`not a service account key; fields missing or not valid: ${names}`)
  }
  const { project_id, client_email, private_key } = result.output
  return { projectId: project_id, clientEmail: client_email, privateKeyPem: readPrivateKey(private_key) }
}

const DOWNLOAD = 'download a new key file from the Google Cloud console'

/** Checks that OpenSSL can sign with a key. Line breaks may be written as `\n` or `\\n`, as in environment variables. */
function readPrivateKey(text: string): string {
  const pem = text.replace(/\\+r/g, '').replace(/\\+n/g, '\n')
  if (/^\s*["']/.test(pem)) throw new FcmCredentialError('private_key is in quotes; remove the inner quotes')
  if (!pem.includes('-----BEGIN')) throw new FcmCredentialError(`private_key is not PEM; ${DOWNLOAD}`)
  if (!pem.includes('-----END'))
    throw new FcmCredentialError(`private_key is cut off: its last line is missing; ${DOWNLOAD}`)
  if (parseType(pem) !== 'rsa') throw new FcmCredentialError(`private_key is not an RSA key; ${DOWNLOAD}`)
  return pem
}

function parseType(pem: string): string | undefined {
  try {
    return createPrivateKey(pem).asymmetricKeyType
  } catch {
    // The error of OpenSSL is not passed on: it could describe parts of the key.
    throw new FcmCredentialError(`private_key is damaged: OpenSSL can not read it; ${DOWNLOAD}`)
  }
}
