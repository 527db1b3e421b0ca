import { X509Certificate } from 'node:crypto'
import { ConfigError } from '../config/config-error.ts'
import { readOptionFile } from '../config/read-option-file.ts'

/**
 * Reads the certificate authority (PEM) in the file that `option` names; undefined if the option is not set.
 * @throws ConfigError
 */
export function readCa(option: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  const pem = readOptionFile(option, file).toString()
  try {
    new X509Certificate(pem)
    return pem
  } catch {
    // Node would ignore such a text, and refuse the certificates of the server later.
    throw new ConfigError(`${option}: ${file} is not a certificate in PEM`)
  }
}
