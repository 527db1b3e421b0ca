import { ConfigError } from '../../config/config-error.ts'
import { readOptionFile } from '../../config/read-option-file.ts'
import type { Config } from '../../config/schema.ts'
import { GOOGLE_TYPES, type GoogleAccount, GoogleTokens, readGoogleCredentials } from './google-account.ts'
import { FcmCredentialError, readServiceAccount, type ServiceAccount } from './service-account.ts'

type Options = Config['push_notifications']['fcm']

/** The credential for FCM, and the project that it sends for. */
export type FcmAccount = (ServiceAccount | GoogleAccount) & {
  /** The project that pays for the requests of a user's credential; undefined for the project itself. */
  quotaProjectId?: string | undefined
}

/** Reads the credential that a checked configuration names, and proves that it can be used. @throws ConfigError */
export async function loadFcmAccount(options: Options, ca: string | undefined): Promise<FcmAccount> {
  const { credentials_file: file, credentials_json: json, project_id: projectId } = options
  if (file !== undefined) {
    const text = readOptionFile(pathOf('credentials_file'), file).toString()
    return await explained('credentials_file', file, () => readAccount(text, options, ca))
  }
  if (json !== undefined) return await explained('credentials_json', undefined, () => readAccount(json, options, ca))
  return await explained('project_id', undefined, async () => {
    return await proveGoogle({ projectId: projectId ?? '', credentials: undefined }, options, ca)
  })
}

async function readAccount(text: string, options: Options, ca: string | undefined): Promise<FcmAccount> {
  const json = parseJson(text)
  const { project_id: projectId } = options
  if (!('type' in json) || !GOOGLE_TYPES.has(json.type)) {
    if ('project_info' in json) {
      throw new FcmCredentialError(
        'this is the configuration of an app (google-services.json); use a service account key',
      )
    }
    return readServiceAccount(json, projectId)
  }
  if (projectId === undefined) throw new FcmCredentialError(`a credential of type ${json.type} needs fcm.project_id`)
  return await proveGoogle({ projectId, credentials: readGoogleCredentials(json) }, options, ca)
}

async function proveGoogle(account: GoogleAccount, options: Options, ca: string | undefined): Promise<FcmAccount> {
  const tokens = new GoogleTokens({ account, authEndpoint: options.auth_endpoint, ca })
  const quotaProjectId = await tokens.prove()
  await tokens.close()
  return { ...account, quotaProjectId }
}

/** The mark at the begin of files that some editors on Windows write. */
const BYTE_ORDER_MARK = /^\ufeff/

/** Parses JSON, or base64 of JSON. @throws FcmCredentialError; the parser's error would quote the text */
function parseJson(given: string): object {
  const text = given.replace(BYTE_ORDER_MARK, '').trim()
  if (text === '') throw new FcmCredentialError('there is no credential: the text is empty')
  const parsed = tryParse(text) ?? tryParse(Buffer.from(text, 'base64').toString())
  if (parsed !== undefined) return parsed
  if (/^["']/.test(text)) throw new FcmCredentialError('the text is in quotes; remove them')
  throw new FcmCredentialError('not a service account key; the text is not JSON')
}

function tryParse(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined
  } catch {
    return undefined
  }
}

async function explained<T>(option: string, file: string | undefined, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof FcmCredentialError)) throw error
    throw new ConfigError(`${pathOf(option)}: ${file === undefined ? '' : `${file}: `}${error.message}`)
  }
}

function pathOf(option: string): string {
  return `push_notifications.fcm.${option}`
}
