import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { AdminContext } from '../admin-environment.ts'

const STYLES = ['base', 'frame', 'forms', 'content', 'figures', 'phone']

/** The files of pages, each with its parts. */
const FILES = {
  'admin.css': { type: 'text/css; charset=utf-8', parts: STYLES.map((name) => `css/${name}.css`) },
  'admin.js': { type: 'text/javascript; charset=utf-8', parts: ['admin.js'] },
  'icon.svg': { type: 'image/svg+xml', parts: ['icon.svg'] },
} as const

/** Makes the handler of the files of pages. They are read once. */
export function makeAssetHandler(): (context: AdminContext) => Response | Promise<Response> {
  const files = new Map(
    Object.entries(FILES).map(([name, { type, parts }]) => {
      const bytes = Buffer.concat(parts.map((part) => readFileSync(new URL(part, import.meta.url))))
      const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 16)}"`
      return [name, { bytes: new Uint8Array(bytes), type, etag }]
    }),
  )
  return (context) => {
    const file = files.get(context.req.param('name') ?? '')
    if (!file) return context.notFound()
    // Browsers ask each time whether the file has changed, so an update of the server takes effect at once.
    const headers = { 'content-type': file.type, etag: file.etag, 'cache-control': 'no-cache' }
    if (context.req.header('if-none-match') === file.etag) return context.body(null, 304, headers)
    return context.body(file.bytes, 200, headers)
  }
}
