import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { ConfigError } from '../config-error.ts'
import { type ConfigTree, isTree } from '../config-tree.ts'
import { explainFileError } from '../read-option-file.ts'
import { FileSyntaxError } from './file-syntax-error.ts'
import { parseJsonFile } from './parse-json-file.ts'
import { parseTomlFile } from './parse-toml-file.ts'
import { parseYamlFile } from './parse-yaml-file.ts'

const PARSERS: Readonly<Record<string, (content: string) => unknown>> = {
  '.json': parseJsonFile,
  '.toml': parseTomlFile,
  '.yaml': parseYamlFile,
  '.yml': parseYamlFile,
}

/**
 * Reads a configuration file in JSON, YAML or TOML, by the ending of its name.
 * @throws ConfigError that names the file, and line and column of a syntax error or of a duplicate key
 */
export function readConfigFile(file: string): ConfigTree {
  const parse = PARSERS[extname(file).toLowerCase()]
  if (!parse) throw new ConfigError(`${file}: expected a name that ends with .json, .yaml, .yml or .toml`)
  const tree = parseContent(file, readContent(file), parse)
  if (!isTree(tree)) throw new ConfigError(`${file}: expected sections of options`)
  return tree
}

function readContent(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    throw new ConfigError(`${file} ${explainFileError(error)}`, { cause: error })
  }
}

function parseContent(file: string, content: string, parse: (content: string) => unknown): unknown {
  try {
    return parse(content)
  } catch (error) {
    if (!(error instanceof FileSyntaxError)) throw error
    const { line, column, message } = error
    throw new ConfigError(`${file}:${line}:${column}: ${message}`)
  }
}
