import { readFile } from 'node:fs/promises'
import * as v from 'valibot'

const ServiceAccountSchema = v.pipe(
  v.object({
    type: v.literal('service_account'),
    // It becomes part of a URL's path.
    project_id: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.:-]{0,127}$/i)),
    client_email: v.pipe(v.string(), v.email()),
    private_key: v.pipe(v.string(), v.includes('BEGIN PRIVATE KEY')),
  }),
  // `token_uri` and the like stay out: a crafted file could have assertions posted to a host of its author's choice.
  v.transform((json) => ({
    projectId: json.project_id,
    clientEmail: json.client_email,
    privateKeyPem: json.private_key,
  })),
)

/** A Google service account: whose pushes they are, and the key that proves it. */
export type ServiceAccount = v.InferOutput<typeof ServiceAccountSchema>

/** The file is not a service account's key. Names the wrong fields, never what stands in them. */
export class ServiceAccountError extends Error {
  override readonly name = 'ServiceAccountError'
}

/** Reads a key file as Google's console gives it out; the error names what is wrong with it. @throws ServiceAccountError */
export async function loadServiceAccount(file: string): Promise<ServiceAccount> {
  const result = v.safeParse(ServiceAccountSchema, parseJson(file, await readText(file)))
  if (result.success) return result.output
  const fields = new Set(result.issues.map((issue) => v.getDotPath(issue) ?? '(root)'))
  throw new ServiceAccountError(`${file}: not a service account key; missing or wrong: ${[...fields].join(', ')}`)
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new ServiceAccountError(`${file}: can't be read (${error instanceof Error ? error.message : 'unknown'})`)
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's message quotes the text, which holds a private key: it is not passed on as a cause.
    throw new ServiceAccountError(`${file}: not a service account key, the file is not JSON`)
  }
}
