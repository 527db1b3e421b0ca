import { readOptionFile } from '../config/read-option-file.ts'

/**
 * Reads the certificate authority (PEM) in the file that `option` names; undefined if the option is not set.
 * @throws ConfigError
 */
export function readCa(option: string, file: string | undefined): string | undefined {
  return file === undefined ? undefined : readOptionFile(option, file).toString()
}
