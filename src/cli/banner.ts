import type { Assembly } from '../assemble.ts'

/** What a start with an API key of our own making prints: where the API is, the key, and a line to paste. */
export function makeBanner({ urls, madeKey }: Assembly, apiPrefix: string): string {
  const [url = ''] = urls
  if (madeKey === undefined) return ''
  const commands = [
    { device_register: { provider: 'fcm', platform: 'android', token: 'a-token-to-try-with', user: 'me' } },
    {
      send_push_notification: {
        recipient: { filter: { users: ['me'] } },
        notification: { fcm: { message: { notification: { title: 'Hello', body: 'from centripush' } } } },
      },
    },
  ]
  return `
  API  ${url}${apiPrefix}
  key  ${madeKey}

  Register a device and send to it:

  curl -s ${url}${apiPrefix}/batch -H 'X-API-Key: ${madeKey}' -d '${JSON.stringify({ commands })}'

`
}
