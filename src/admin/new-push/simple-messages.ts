import type { ProviderName } from '../../config/provider-names.ts'

/** A notification that looks alike on all phones. Empty texts are left out. */
export interface SimpleMessage {
  title: string
  body: string
  /** URL of an image. */
  image: string
  /** URL to open at a tap, which the app has to support. */
  link: string
}

/** The `notification` of a request: the message in the form of each provider. */
export function makeMessages(
  message: SimpleMessage,
  providers: readonly ProviderName[],
): Partial<Record<ProviderName, object>> {
  return Object.fromEntries(providers.map((provider) => [provider, FORMS[provider](message)]))
}

const FORMS: Readonly<Record<ProviderName, (message: SimpleMessage) => object>> = {
  // https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
  fcm: ({ title, body, image, link }) => ({
    message: withoutEmpty({
      notification: withoutEmpty({ title, body, image }),
      data: withoutEmpty({ link }),
      webpush: link === '' ? undefined : { fcm_options: { link } },
    }),
  }),
  // https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197
  hms: ({ title, body, image, link }) => ({
    message: {
      notification: withoutEmpty({ title, body, image }),
      android: { notification: { click_action: link === '' ? { type: 3 } : { type: 2, url: link } } },
    },
  }),
  // https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification
  apns: ({ title, body, image, link }) => ({
    payload: withoutEmpty({
      aps: withoutEmpty({
        alert: withoutEmpty({ title, body }),
        sound: 'default',
        // With it, the notification service extension of the app runs and loads the image.
        'mutable-content': image === '' ? undefined : 1,
      }),
      image,
      link,
    }),
  }),
  // The service worker of the site shows it.
  webpush: ({ title, body, image, link }) => ({ payload: withoutEmpty({ title, body, image, link }) }),
}

function withoutEmpty(members: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isEmpty(value)))
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === '') return true
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
