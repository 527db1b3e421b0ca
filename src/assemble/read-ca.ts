import { checkCertificate } from '../config/certificate.ts'
import { readOptionFile } from '../config/read-option-file.ts'

/**
 * Reads the certificate authority (PEM) in the file that `option` names; undefined if the option is not set.
 * @throws ConfigError if the file can't be read or contains no certificate
 */
export function readCa(option: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  const ca = readOptionFile(option, file).toString()
  checkCertificate({ ca }, { ca: option, cert: '', key: '' })
  return ca
}
