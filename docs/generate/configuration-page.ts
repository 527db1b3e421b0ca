import { type ConfigOption, type ConfigSection, listSections } from '../../src/config/options.ts'
import { ConfigSchema } from '../../src/config/schema.ts'

const LINE_LENGTH = 120

const HEAD = `# Configuration

<!-- Generated from src/config by "npm run docs:configuration". -->

A file in JSON, YAML or TOML (\`--config FILE\`) and environment variables, which override the file. No option is
needed; \`centripush check-config\` prints the values in force. Editors complete and check a file with the JSON Schema
in [configuration.schema.json](configuration.schema.json); a YAML file names it in its first line:
\`# yaml-language-server: $schema=./configuration.schema.json\`.

The environment variable of an option is \`CENTRIPUSH_\` and its path in upper case: \`CENTRIPUSH_HTTP_SERVER_PORT\` for
\`http_server.port\`. With \`_FILE\` at the end of its name, the variable gives a file that holds the value. Lists are
separated by spaces, or are JSON.

A duration is written as in Go: \`"30s"\`, \`"1h30m"\`, \`"500ms"\`, \`"0"\`. PEM material is the text itself, its
base64, or the path of a file. Keys are Centrifugo's own where Centrifugo has them.

No mistake in a name is ignored. A start and \`centripush check-config\` refuse an option or a variable that is unknown
and suggest the one that was meant; a name of Centrifugo v4 or v5 is answered with that of v6. Options of Centrifugo v6
that centripush does not have are ignored and named in one line of the log. For features that a configuration asks for
(\`consumers\`, \`grpc_api\`, \`http_api.jwks\` and others), one line each has the alternative.
`

/** The text of docs/configuration.md: a heading for each section, an item for each option. */
export function makeConfigurationPage(): string {
  return [HEAD, ...listSections(ConfigSchema).flatMap(describeSection)].join('\n')
}

function describeSection({ path, description, like, options }: ConfigSection): string[] {
  const name = path.join('.')
  // The options of a section inside it are those of the other one, too.
  if (isInsideLike(path)) return []
  const heading = path.length === 0 ? '## Without a section' : `## ${name}`
  const items = like === undefined ? options.map(describeOption) : [`The options are those of \`${like}\`.`]
  return [`${heading}\n${description === '' ? '' : `${wrap(description)}\n`}\n${items.join('\n')}\n`].filter(
    () => options.length > 0,
  )
}

function isInsideLike(path: readonly string[]): boolean {
  return listSections(ConfigSchema).some(
    (other) =>
      other.like !== undefined &&
      other.path.length < path.length &&
      other.path.every((key, index) => key === path[index]),
  )
}

function describeOption({ path, description, kind, defaultValue }: ConfigOption): string {
  const value = defaultValue === undefined ? 'no default' : `default \`${JSON.stringify(defaultValue)}\``
  return wrap(`- \`${path.at(-1)}\` (${kind}; ${value}): ${description}`, '  ')
}

/** Breaks a text into lines; the lines after the first begin with `indent`. */
function wrap(text: string, indent = ''): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > LINE_LENGTH) {
      lines.push(line)
      line = indent + word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}
