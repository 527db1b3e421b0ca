import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { type ConnectionOptions, createSecureContext } from 'node:tls'
import type { PostgresTarget } from '../../config/postgres/postgres-dsn.ts'
import { explainFileError } from '../../config/read-option-file.ts'
import { ConnectError, TLS_FILE } from './connect-error.ts'

/** The certificates and the key of a DSN, read. */
export interface TlsFiles {
  /** Node's options for a server. @param name the name in its certificate */
  makeOptions(name: string): ConnectionOptions
}

/**
 * Reads the files that a DSN names. They are read for each connection, so renewed certificates are used without a
 * restart. A known authority is used to verify the chain in every mode, as in libpq, and with `verify-full` the name.
 * @throws ConnectError with the parameter and the file
 */
export async function readTlsFiles(tls: PostgresTarget['tls']): Promise<TlsFiles> {
  const { mode, rootCert, keyPassword } = tls
  const hasAuthority = rootCert !== undefined && rootCert !== 'system'
  const [ca, cert, key] = await Promise.all([
    hasAuthority ? readPemFile('sslrootcert', rootCert) : undefined,
    readPemFile('sslcert', tls.cert),
    readPemFile('sslkey', tls.key),
  ])
  const secureContext = makeContext({
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(keyPassword !== undefined && { passphrase: keyPassword }),
  })
  return {
    makeOptions: (name) => ({
      secureContext,
      host: name,
      // RFC 6066 section 3 allows only names.
      ...(isIP(name) === 0 && { servername: name }),
      rejectUnauthorized: hasAuthority || mode === 'verify-ca' || mode === 'verify-full',
      ...(mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
    }),
  }
}

async function readPemFile(parameter: string, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new ConnectError(`${parameter}: ${file} ${explainFileError(error)}`, TLS_FILE, { cause: error })
  }
}

function makeContext(options: Parameters<typeof createSecureContext>[0]) {
  try {
    return createSecureContext(options)
  } catch (error) {
    // OpenSSL's message names the fault and quotes no key.
    const why = error instanceof Error ? error.message : 'unknown'
    throw new ConnectError(`sslrootcert, sslcert or sslkey is not a PEM file, or they do not fit: ${why}`, TLS_FILE)
  }
}
