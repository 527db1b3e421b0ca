import { readOptionFile } from '../config/read-option-file.ts'

/** Reads the certificate authority (PEM) that `option` names; undefined without one. @throws ConfigError */
export function readCa(option: string, file: string | undefined): string | undefined {
  return file === undefined ? undefined : readOptionFile(option, file).toString()
}
