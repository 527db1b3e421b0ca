// What each target of a batch gets, where the send's templates differ by target.
import type { ProviderName } from '../config/provider-names.ts'
import { formatDeviceId } from '../devices/device-id.ts'
import { parseTexts, type Scope, type Texts } from '../personalise/scope.ts'
import { compileHeader, compileJson, type HeaderTemplate, type JsonTemplate } from '../personalise/template.ts'
import { makeTranslations } from '../personalise/translations.ts'
import type { Personal } from '../providers/provider.ts'
import type { Notification } from '../sends/notification.ts'
import type { SendContent } from '../sends/send-content.ts'
import { readField } from '../sends/target-line.ts'
import type { OpenTarget } from './open-batch.ts'

/** Undefined where all targets get the same. */
export function personaliseBatch(
  content: SendContent,
  provider: ProviderName,
  targets: readonly OpenTarget[],
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

interface CompiledContent {
  notifications: ReadonlyMap<ProviderName, CompiledNotification>
  translate(locale: string): Texts
}

/** A send's content is loaded once for many batches, and compiled once with it. */
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
  /** By their source: a provider takes the same piece of the notification in each batch. */
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

  renderHeaders(scope: Scope): ReadonlyMap<string, string> {
    return new Map(this.#headers.map(([name, value]) => [name, value.render(scope)]))
  }
}

/** Most templates name few of a target's fields, so each is made when it is asked for. */
class TargetScope implements Scope {
  readonly #line: string
  readonly #provider: ProviderName
  readonly #translate: (locale: string) => Texts
  #meta: Texts | undefined
  #l10n: Texts | undefined

  constructor(line: string, provider: ProviderName, translate: (locale: string) => Texts) {
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
    this.#l10n ??= this.#translate(readField(this.#line, 'locale'))
    return this.#l10n
  }
}
