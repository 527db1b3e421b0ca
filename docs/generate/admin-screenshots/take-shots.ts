// Every page in both themes, on a desktop and on a phone.
import { writeFile } from 'node:fs/promises'
import type { BrowserContext, Page } from 'playwright-core'

const THEMES = ['light', 'dark'] as const
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 375, height: 740 } } as const
/** WebP has a third of the size of PNG, with sharp texts at this quality. */
const QUALITY = 0.85

/** A page with its name in the names of the files. */
export interface Shot {
  name: string
  path: string
  /** The text of a button that leads to the page. */
  button?: string
  /** Whether the page is shown before the login. */
  isOpen?: boolean
}

/** The pages. @param device the id of a device */
export function listShots(device: string): Shot[] {
  const draft = '/new-push?topic=news&title=Good+evening&body=The+news+of+the+day'
  return [
    { name: 'login', path: '/login', isOpen: true },
    { name: 'overview', path: '' },
    { name: 'new-push', path: draft },
    { name: 'check', path: draft, button: 'Preview and count' },
    { name: 'sends', path: '/sends' },
    { name: 'send', path: '/send?uid=morning-news' },
    { name: 'explain', path: '/explain?uid=evening-offer&user=grace%40example.com' },
    { name: 'devices', path: '/devices' },
    { name: 'device', path: `/devices/${device}` },
    { name: 'removed-devices', path: '/removed-devices?provider=fcm&hours=72' },
    { name: 'topics', path: '/topics?topic=news&total=1' },
    { name: 'queue', path: '/queue' },
    { name: 'analytics', path: '/analytics?range=24h' },
    { name: 'configuration', path: '/configuration?search=postgresql' },
    { name: 'actions', path: '/actions' },
  ]
}

/** Takes the screenshots, each as NAME-SIZE-THEME.webp. The context is logged in. */
export async function takeAll(
  context: BrowserContext,
  { base, directory, shots }: { base: string; directory: string; shots: readonly Shot[] },
): Promise<void> {
  const visitor = await context.browser()?.newContext({ locale: 'en-GB', reducedMotion: 'reduce' })
  const encoder = await context.newPage()
  const [inside, outside] = [await context.newPage(), await visitor?.newPage()]
  for (const { name, path, button, isOpen } of shots) {
    const page = (isOpen && outside) || inside
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport)
      for (const colorScheme of THEMES) {
        await page.emulateMedia({ colorScheme })
        await page.goto(base + path)
        if (button !== undefined) await page.getByRole('button', { name: button }).click()
        await page.waitForLoadState()
        if (await page.locator('[data-live-state]').count()) await page.getByText('Live', { exact: true }).waitFor()
        if (button === undefined && path.startsWith('/new-push')) await page.getByText(/ match now/).waitFor()
        await writeFile(
          `${directory}${name}-${size}-${colorScheme}.webp`,
          await toWebp(encoder, await page.screenshot()),
        )
      }
    }
  }
  await visitor?.close()
}

/** Encodes a picture, which Chromium does: the code is a text, because it is not of this program. */
async function toWebp(encoder: Page, png: Buffer): Promise<Buffer> {
  const url = await encoder.evaluate<string>(`(async () => {
    const picture = new Image()
    picture.src = 'data:image/png;base64,${png.toString('base64')}'
    await picture.decode()
    const canvas = document.createElement('canvas')
    canvas.width = picture.width
    canvas.height = picture.height
    canvas.getContext('2d').drawImage(picture, 0, 0)
    return canvas.toDataURL('image/webp', ${QUALITY})
  })()`)
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')
}
