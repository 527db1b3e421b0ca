import { readFile } from 'node:fs/promises'
import * as v from 'valibot'

const ServiceAccountSchema = v.pipe(
  v.object({
    type: v.literal('service_account'),
    // Restricted to these characters, because it becomes part of the path of a URL.
    project_id: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.:-]{0,127}$/i)),
    client_email: v.pipe(v.string(), v.email()),
    private_key: v.pipe(v.string(), v.includes('BEGIN PRIVATE KEY')),
  }),
  // `token_uri` and similar fields are ignored: a crafted file could direct assertions to a host of its author.
  v.transform((json) => ({
    projectId: json.project_id,
    clientEmail: json.client_email,
    privateKeyPem: json.private_key,
  })),
)

/** A Google service account: the project that sends, and the key that authenticates it. */
export type ServiceAccount = v.InferOutput<typeof ServiceAccountSchema>

/** The file is not a service account key. The message names the wrong fields and never quotes their values. */
export class ServiceAccountError extends Error {
  override readonly name = 'ServiceAccountError'
}

/** Reads a service account key that was downloaded from the Google Cloud console. @throws ServiceAccountError */
export async function loadServiceAccount(file: string): Promise<ServiceAccount> {
  const result = v.safeParse(ServiceAccountSchema, parseJson(file, await readText(file)))
  if (result.success) return result.output
  const fields = new Set(result.issues.map((issue) => v.getDotPath(issue) ?? '(root)'))
  const names = [...fields].join(', ')
  throw new ServiceAccountError(`${file}: not a service account key; fields missing or not valid: ${names}`)
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new ServiceAccountError(`${file}: cannot be read (${error instanceof Error ? error.message : 'unknown'})`)
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The error of the parser is not passed on: it quotes the text, which contains a private key.
    throw new ServiceAccountError(`${file}: not a service account key; the file is not JSON`)
  }
}
