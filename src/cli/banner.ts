import type { Assembly } from '../assemble.ts'

/**
 * The text that a start with a generated API key prints: the URL of the API, the key, a link to the admin web UI, and a
 * curl line. Empty if the key is configured.
 */
export function makeBanner({ urls, madeKey, adminLink }: Assembly, apiPrefix: string): string {
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
${adminLink === undefined ? '' : `  web  ${adminLink}  (logs in once, within an hour)\n`}
  Register a device and send to it:

  curl -s ${url}${apiPrefix}/batch -H 'X-API-Key: ${madeKey}' -d '${JSON.stringify({ commands })}'

`
}
