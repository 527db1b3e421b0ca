// Renders the notifications of sends with templates for each target.
import type { ProviderName } from '../config/provider-names.ts'
import { formatDeviceId } from '../devices/device-id.ts'
import { parseTexts, type Scope, type Texts } from '../personalise/scope.ts'
import { compileHeader, compileJson, type HeaderTemplate, type JsonTemplate } from '../personalise/template.ts'
import { makeTranslations, type Translation } from '../personalise/translations.ts'
import type { Personal } from '../providers/provider.ts'
import type { Notification } from '../sends/notification.ts'
import type { SendContent } from '../sends/send-content.ts'
import { readField } from '../sends/target-line.ts'

/** Prepares a personal notification for each target of a batch; undefined if all targets get the same. */
export function personaliseBatch(
  content: SendContent,
  provider: ProviderName,
  targets: readonly { line: string }[],
): Personal | undefined {
  const compiled = compileContent(content)
  const notification = compiled?.notifications.get(provider)
  if (!compiled || !notification?.isPersonal) return undefined
  const scopeOf = (index: number) => new TargetScope(targets[index]?.line ?? '', provider, compiled.translate)
  return {
    prepareJson: (json) => {
      const template = notification.compileJson(json)
      return (index, body) => template.write(scopeOf(index), body)
    },
    headersOf: (index) => notification.renderHeaders(scopeOf(index)),
  }
}

/** Renders all notifications of a send with the values of one target. @param provider that of the target's device */
export function renderNotifications(
  content: SendContent,
  provider: ProviderName,
  line: string,
): ReadonlyMap<ProviderName, Notification> {
  const compiled = compileContent(content)
  if (!compiled) return content.notifications
  const scope = new TargetScope(line, provider, compiled.translate)
  return new Map(
    [...content.notifications].map(([name, { json }]) => {
      const notification = compiled.notifications.get(name)
      if (!notification) throw new Error(`the notification for ${name} was not compiled`)
      return [name, { json: notification.renderJson(json, scope), headers: notification.renderHeaders(scope) }]
    }),
  )
}

/**
 * The locale of the translation that a device gets, in the spelling of the request; undefined if none matches.
 * @param locale that of the device
 */
export function findTranslation(content: SendContent, locale: string): string | undefined {
  return compileContent(content)?.translate(locale).locale
}

interface CompiledContent {
  notifications: ReadonlyMap<ProviderName, CompiledNotification>
  translate(locale: string): Translation
}

/** The compiled contents. A content is loaded once for many batches, and is compiled once too. */
const compiledContents = new WeakMap<SendContent, CompiledContent>()

function compileContent(content: SendContent): CompiledContent | undefined {
  const { templating, notifications } = content
  if (!templating) return undefined
  const known = compiledContents.get(content)
  if (known) return known
  const compiled = {
    notifications: new Map(
      [...notifications].map(([provider, notification]) => [provider, new CompiledNotification(notification)]),
    ),
    translate: makeTranslations(templating.localizations),
  }
  compiledContents.set(content, compiled)
  return compiled
}

class CompiledNotification {
  readonly isPersonal: boolean
  readonly #headers: readonly (readonly [name: string, value: HeaderTemplate])[]
  /** Compiled templates by their source, because a provider compiles the same JSON for each batch. */
  readonly #templates = new Map<string, JsonTemplate>()

  constructor({ json, headers }: Notification) {
    this.#headers = [...headers].map(([name, value]) => [name, compileHeader(value)])
    this.isPersonal = this.compileJson(json).isPersonal || this.#headers.some(([, value]) => value.isPersonal)
  }

  compileJson(json: Buffer): JsonTemplate {
    const source = json.toString('latin1')
    const template = this.#templates.get(source) ?? compileJson(json)
    this.#templates.set(source, template)
    return template
  }

  renderJson(json: Buffer, scope: Scope): Buffer {
    const pieces: Uint8Array[] = []
    this.compileJson(json).write(scope, {
      bytes: (bytes) => pieces.push(bytes),
      text: (text) => pieces.push(Buffer.from(text)),
    })
    return Buffer.concat(pieces)
  }

  renderHeaders(scope: Scope): ReadonlyMap<string, string> {
    return new Map(this.#headers.map(([name, value]) => [name, value.render(scope)]))
  }
}

/** The values of one target. Most templates use few of its fields, so each is read when it is used. */
class TargetScope implements Scope {
  readonly #line: string
  readonly #provider: ProviderName
  readonly #translate: CompiledContent['translate']
  #meta: Texts | undefined
  #l10n: Texts | undefined

  constructor(line: string, provider: ProviderName, translate: CompiledContent['translate']) {
    this.#line = line
    this.#provider = provider
    this.#translate = translate
  }

  get id(): string {
    return formatDeviceId(readField(this.#line, 'deviceId'), this.#provider)
  }

  get user(): string {
    return readField(this.#line, 'user')
  }

  get meta(): Texts {
    this.#meta ??= parseTexts(readField(this.#line, 'meta'))
    return this.#meta
  }

  get l10n(): Texts {
    this.#l10n ??= this.#translate(readField(this.#line, 'locale')).texts
    return this.#l10n
  }
}
